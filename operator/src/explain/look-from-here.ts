import {
  type ConnectionSettings,
  Database,
  lastLeader,
  type LeaderSeen,
  vacuumFacts,
  vacuumTroubles,
} from "@jobqueue/store";
import type { CanarySeen } from "../controllers/job-store/canary.ts";
import { leaderScope } from "../controllers/job-store/led-store.ts";
import { lookAt } from "../controllers/job-store/look.ts";
import type { StoreView } from "../controllers/job-store/store-view.ts";
import type { StoredJobStore } from "../controllers/kubernetes-objects.ts";
import type { Clock } from "../runtime/index.ts";

/** One way to a store from where the command runs. */
export interface StoreWay {
  /** In words, such as "the connection of the JobStore" or "DATABASE_URL". */
  readonly name: string;
  /** Finds the address; what it throws is told in the words of its message. */
  readonly open: (jobStore: StoredJobStore) => Promise<{
    readonly connection: ConnectionSettings;
    readonly schema: string;
    /** Host, port, database and schema, for people; never a password. */
    readonly where: string;
    readonly close: () => Promise<void>;
  }>;
}

/** What was seen of a store, and how, or why nothing was. */
export interface Looked {
  readonly view: StoreView;
  /** How it was reached, or each way that did not lead there and why. */
  readonly how: readonly string[];
  /** The operator that leads this store, by the store; absent: none ever did, or it cannot be read. */
  readonly leader?: LeaderSeen | undefined;
}

/** Looks at the store by the first way that leads there. A store that cannot be reached from here is unknown, not absent. */
export async function lookFromHere(jobStore: StoredJobStore, ways: readonly StoreWay[], clock: Clock): Promise<Looked> {
  const failed: string[] = [];
  for (const { name, open } of ways) {
    try {
      const { connection, schema, where, close } = await open(jobStore);
      const database = new Database({ connection, schema, applicationName: "jobqueue explain", poolSize: 1 });
      try {
        const now = () => clock.wall();
        // Not beaten from here, which would be a write, but read: what the operator that leads has told the store of it. Its
        // memory of outages is its own, so of what was before its term nothing is known.
        const beat = async (): Promise<CanarySeen> => {
          const leader = await lastLeader(database, leaderScope(jobStore));
          const at = leader?.canaryAt?.getTime() ?? now();
          return { at, since: leader?.canaryAt ? leader.takenAt.getTime() : at, outages: [] };
        };
        const view = await lookAt(database, {
          now,
          beat,
          vacuumTroubles: async (asked) => vacuumTroubles(await vacuumFacts(asked)),
        });
        const leader = view.snapshot && (await lastLeader(database, leaderScope(jobStore)));
        return { view, how: [`through ${name}, at ${where}`], leader };
      } finally {
        await database.close().catch(() => {});
        await close();
      }
    } catch (error) {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const sentence = "this command cannot reach it from here, so what is in it is unknown.";
  return { view: { is: "down", reason: "ConnectFailed", sentence }, how: failed };
}

import type { Database } from "@jobqueue/store";
import { nowMs } from "../support/history/process-log.ts";
import { PgBouncer } from "../support/postgres/pgbouncer.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { drained } from "./drained.ts";
import { FAMILIES } from "./faults/all-faults.ts";
import { applyFaults } from "./faults/apply-faults.ts";
import type { ChaosFault, Targets } from "./faults/fault.ts";
import { Fleet } from "./fleet.ts";
import { QUEUES } from "./producer.ts";
import { Random } from "./random.ts";
import { type Judgement, Scene } from "./scene.ts";

/** One round of a run: a store of its own, load, pairs of faults, a drain, the checker. */
export interface RoundOptions {
  readonly server: PostgresServer;
  readonly seed: number;
  readonly loadSeconds: number;
  /** Where logs and, when it fails, the report are. */
  readonly directory: string;
  /** The command that repeats this round. */
  readonly repeat: string;
  /** Done to the store before anything starts: a mutation, in tests of the checker. */
  readonly prepare?: (database: Database) => Promise<void>;
  /** Only these faults; all when absent. */
  readonly only?: (fault: Pick<ChaosFault, "id">) => boolean;
  readonly say?: (line: string) => void;
}

/** How a round went. */
export interface RoundOutcome extends Judgement {
  readonly faults: readonly string[];
  readonly workerExits: readonly string[];
  /** Of a round with operators. */
  readonly operator?: {
    /** Of hung workers, that nobody asked for. */ readonly restarts: number;
    readonly leaderChanges: number;
  };
}

/** Runs one round. */
export async function runRound(options: RoundOptions): Promise<RoundOutcome> {
  const { server, directory, loadSeconds, repeat } = options;
  const random = new Random(options.seed);
  const scene = await Scene.create(server, directory);
  const { direct, proxy } = scene;
  const bouncer = random.chance(0.5) && PgBouncer.isInstalled ? await PgBouncer.create(scene.url) : undefined;
  const fleet = new Fleet({
    directory,
    queues: Object.values(QUEUES),
    size: 3,
    urlOf: (n) => (bouncer !== undefined && n % 3 === 0 ? bouncer.url() : proxy.url),
  });
  try {
    await options.prepare?.(direct);
    await fleet.start();
    await scene.begin(random, ["producer-1", "producer-2"]);
    const targets: Targets = { server, proxy, bouncer, fleet, direct, random: random.fork() };
    const faults = await applyFaults(targets, FAMILIES, options, nowMs() + loadSeconds * 1_000);
    await scene.end();
    await drained(direct);
    await fleet.stop();
    return { ...(await scene.judge({ repeat })), faults, workerExits: fleet.exits };
  } finally {
    await fleet.kill();
    await bouncer?.destroy();
    await scene.close();
  }
}

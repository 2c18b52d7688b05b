import {
  SCHEMA_VERSION,
  type CurrentSettings,
  type Hold,
  type OldSnapshot,
  type Reason,
  type VacuumTrouble,
  type WorkerRow,
} from "@jobqueue/store";
import { formatDuration } from "../duration.ts";

/** What is looked at: a store as it is now, and this machine beside it. */
export interface Examined {
  /** Version of the schema; undefined: there is none. What is below is then empty. */
  readonly schemaVersion: number | undefined;
  /** How far this machine's clock is ahead of the database's, milliseconds; negative: behind. */
  readonly clockAheadMs: number;
  readonly now: Date;
  readonly queues: readonly {
    readonly queue: string;
    readonly pending: number;
    readonly stale: number;
    readonly dead: number;
    /** Why it does not run, where it has pending jobs. */
    readonly why: readonly Pick<Reason, "code" | "message">[];
  }[];
  readonly holds: readonly Hold[];
  readonly workers: readonly Pick<WorkerRow, "id" | "pod" | "hostname" | "verdict" | "version" | "isLive">[];
  readonly settings: Pick<CurrentSettings, "recovery"> | undefined;
  readonly oldSnapshots: readonly OldSnapshot[];
  readonly vacuumTroubles: readonly VacuumTrouble[];
}

/** A fault of the set-up: what is wrong, and what to do. */
interface Fault {
  readonly fault: string;
  readonly says: string;
  readonly remedy: string;
}

type Check = (seen: Examined) => readonly Omit<Fault, "fault">[];

/** Clocks that differ by more than this make times on screens and in logs misleading; the store goes by its own alone. */
const CLOCK_MS = 5_000;
/** A hold without an end that is older than this may be forgotten. */
const FORGOTTEN_MS = 86_400_000;

const one = (says: string, remedy: string) => [{ says, remedy }];
const names = (items: readonly string[]): string =>
  items.length > 5 ? `${items.slice(0, 5).join(", ")} and ${items.length - 5} more` : items.join(", ");
/** Faults that a reason of `why` names, one for all queues that have it. */
const reason =
  (codes: readonly string[], says: (queues: string) => string, remedy: (queue: string) => string): Check =>
  ({ queues }) => {
    const hit = queues.filter(({ why }) => why.some(({ code }) => codes.includes(code))).map(({ queue }) => queue);
    return hit[0] === undefined ? [] : one(says(names(hit)), remedy(hit[0]));
  };

/**
 * The commonest faults of a set-up, the ones that explain others first. That the store cannot be reached, is a standby, refuses the
 * user, or that the JobStore is not there, is said by what opens it, with a remedy of its own.
 */
const CHECKS: Readonly<Record<string, Check>> = {
  schema: ({ schemaVersion: version }) => {
    if (version === undefined)
      return one("The store is not installed in this schema.", "jobqueue migrate, or name another with --schema.");
    if (version < SCHEMA_VERSION)
      return one(`The schema has version ${version}, and this command wants ${SCHEMA_VERSION}.`, "jobqueue migrate");
    return version > SCHEMA_VERSION
      ? one(
          `The schema has version ${version}, newer than the ${SCHEMA_VERSION} of this command.`,
          "Use the jobqueue command of that version.",
        )
      : [];
  },
  clock: ({ clockAheadMs }) =>
    Math.abs(clockAheadMs) > CLOCK_MS
      ? one(
          `The clock of this machine is ${formatDuration(Math.abs(clockAheadMs) / 1000)} ${clockAheadMs > 0 ? "ahead of" : "behind"} the database's.`,
          "Synchronise both (NTP). Leases and schedules go by the database's alone.",
        )
      : [],
  noWorker: reason(
    ["no_worker"],
    (queues) => `Jobs wait, and no worker serves their queue: ${queues}.`,
    (queue) =>
      `jobqueue workers --queue ${queue} --all shows who did. Is the name spelt alike in JOBQUEUE_QUEUES and where jobs are made?`,
  ),
  noHandler: reason(
    ["no_handler"],
    (queues) => `Jobs wait whose kind no worker has a handler for, in ${queues}.`,
    (queue) =>
      `jobqueue why ${queue} names the kinds; jobqueue workers --queue ${queue} -o json what each worker can run.`,
  ),
  stopped: reason(
    ["stopped"],
    (queues) => `Jobs wait in queues that may run none at once: ${queues}.`,
    (queue) => `jobqueue configure ${queue} --max-running N, or spec.policy where a JobQueue manages it.`,
  ),
  hungWorkers: ({ workers }) => {
    const hung = workers.filter(({ verdict }) => ["loop_blocked", "slots_stuck", "claim_stalled"].includes(verdict));
    return hung.length === 0
      ? []
      : one(
          `Workers make no progress: ${names(hung.map(({ id, pod, hostname, verdict }) => `${pod ?? hostname ?? id} (${verdict.replace("_", " ")})`))}.`,
          "See docs/runbooks/WorkersHung.md.",
        );
  },
  staleJobs: ({ queues, settings }) => {
    const stale = queues.reduce((sum, queue) => sum + queue.stale, 0);
    if (stale === 0) return [];
    const off = settings !== undefined && settings.recovery !== "recover";
    return one(
      `${stale} running jobs have no live worker${off ? `, and sweeps do not recover them (${settings.recovery})` : ""}.`,
      "jobqueue recover-stale --dry-run",
    );
  },
  forgottenHold: ({ holds, now }) => {
    const old = holds.filter(({ until, since }) => until === null && now.getTime() - since.getTime() > FORGOTTEN_MS);
    return old.length === 0
      ? []
      : one(
          `Held for more than a day, without an end: ${names(old.map(({ queue, name, actor }) => `${queue} (${name}, by ${actor})`))}.`,
          "jobqueue holds, then: jobqueue resume QUEUE",
        );
  },
  oldSnapshot: ({ oldSnapshots }) =>
    oldSnapshots.length === 0
      ? []
      : one(
          `Postgres cannot clean up behind the queue: ${names(oldSnapshots.map(({ holder }) => holder))}.`,
          "See docs/runbooks/OldSnapshot.md.",
        ),
  vacuum: ({ vacuumTroubles }) => vacuumTroubles.map(({ says, remedy }) => ({ says, remedy })),
  mixedVersions: ({ workers }) => {
    const versions = [...new Set(workers.filter(({ isLive }) => isLive).map(({ version }) => version ?? "unknown"))];
    return versions.length > 1
      ? one(
          `Live workers have different versions: ${names(versions.toSorted())}.`,
          "Finish the roll-out, or end the old workers.",
        )
      : [];
  },
};

/** The faults that are there, in the order in which to mend them. */
export function faultsOf(seen: Examined): Fault[] {
  return Object.entries(CHECKS).flatMap(([fault, check]) => check(seen).map((found) => ({ fault, ...found })));
}

/** How many things were looked at. */
export const CHECK_COUNT = Object.keys(CHECKS).length;

import type { Hold, QueueStats } from "@jobqueue/store";
import { Failure } from "./failure.ts";
import { nearest } from "./nearest.ts";
import type { Source } from "./source/source.ts";

/** One queue: its counts and what holds it, its own holds and those on every queue. */
export interface QueueView extends QueueStats {
  readonly paused: boolean;
  readonly holds: readonly Hold[];
}

/** The queues of a store at one moment of the database's clock. */
export interface StoreView {
  readonly now: Date;
  readonly queues: readonly QueueView[];
  /** Holds on `*`. */
  readonly everyQueue: readonly Hold[];
}

/** A queue that is held before its first job. */
const NOTHING: Omit<QueueStats, "queue"> = {
  pending: 0,
  scheduled: 0,
  deferred: 0,
  running: 0,
  failed: 0,
  dead: 0,
  cancelled: 0,
  stale: 0,
  oldestPendingSeconds: null,
  oldestPendingSince: null,
  maxRunning: null,
  maxRunningPerKey: null,
  fair: false,
  rate: null,
};

/** Reads all queues and holds. A queue that is held before its first job is there as well, with nothing in it. */
export async function readStore(source: Source): Promise<StoreView> {
  const [stats, holds, now] = await Promise.all([source.queueStats(), source.listHolds(), source.now()]);
  const everyQueue = holds.filter((hold) => hold.queue === "*");
  const known = new Map(stats.map((queue) => [queue.queue, queue]));
  const names = [...new Set([...known.keys(), ...holds.map((hold) => hold.queue)])]
    .filter((name) => name !== "*")
    .toSorted();
  const queues = names.map((name) => {
    const own = [...holds.filter((hold) => hold.queue === name), ...everyQueue];
    const counts = known.get(name) ?? { queue: name, ...NOTHING };
    return { ...counts, paused: own.length > 0, holds: own };
  });
  return { now, queues, everyQueue };
}

/** One queue of a store, or a failure that suggests the one that was probably meant. */
export function findQueue(store: StoreView, name: string): QueueView {
  const found = store.queues.find((queue) => queue.queue === name);
  if (found) return found;
  const names = store.queues.map((queue) => queue.queue);
  const near = nearest(name, names);
  const remedy =
    near === undefined
      ? names.length === 0
        ? "The store has no queues yet."
        : "`jobqueue status` lists the queues."
      : `Did you mean ${near}?`;
  throw new Failure("notFound", `the store has no queue '${name}'`, { remedy });
}

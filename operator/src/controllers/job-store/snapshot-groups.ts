/** What a snapshot holds, put in order once per snapshot and not once for each of the queues of its store. */
import type { HoldSeen, RestartSeen, ScheduleSeen, StoreSnapshot, WorkerSeen } from "./store-view.ts";

function oncePerSnapshot<Made>(make: (snapshot: StoreSnapshot) => Made): (snapshot: StoreSnapshot) => Made {
  const made = new WeakMap<StoreSnapshot, { readonly value: Made }>();
  return (snapshot) => {
    const known = made.get(snapshot) ?? { value: make(snapshot) };
    made.set(snapshot, known);
    return known.value;
  };
}

/** The workers by pool, "" for none. */
export const workersByPool: (snapshot: StoreSnapshot) => ReadonlyMap<string, readonly WorkerSeen[]> = oncePerSnapshot(
  ({ workers }) => Map.groupBy(workers, ({ pool }) => pool ?? ""),
);

/** The restarts that are under way or were decided lately, by pool. */
export const restartsByPool: (snapshot: StoreSnapshot) => ReadonlyMap<string, readonly RestartSeen[]> = oncePerSnapshot(
  ({ restarts }) => Map.groupBy(restarts, ({ pool }) => pool),
);

/** The schedules by queue. */
export const schedulesByQueue: (snapshot: StoreSnapshot) => ReadonlyMap<string, readonly ScheduleSeen[]> =
  oncePerSnapshot(({ schedules }) => Map.groupBy(schedules, ({ queue }) => queue));

const holdsByQueue = oncePerSnapshot(({ holds }) => Map.groupBy(holds, ({ queue }) => queue));

/** The holds in force on a queue, those on every queue of the store among them. */
export function holdsOn(snapshot: StoreSnapshot, queue: string): readonly HoldSeen[] {
  const holds = holdsByQueue(snapshot);
  return [...(holds.get("*") ?? []), ...(holds.get(queue) ?? [])];
}

/** The workers of a whole store, as far as they tell whether it is the workers or something they share. */
export interface Fleet {
  /** Workers that beat within the last hour, of all pools and of none. */
  readonly workers: number;
  /** Of these, those whose lease has lapsed. */
  readonly lapsed: number;
  /** Ids of those whose lease is in force. */
  readonly beating: ReadonlySet<string>;
}

/** Who has been silent for longer says nothing about now: a process that somebody killed long ago. */
const FLEET_MEMORY_MS = 3_600_000;

/** The fleet. */
export const fleetOf: (snapshot: StoreSnapshot) => Fleet = oncePerSnapshot(({ workers }) => {
  const recent = workers.filter(({ progress, silentMs }) => progress.state === "active" && silentMs < FLEET_MEMORY_MS);
  const beating = new Set(recent.filter(({ alive }) => alive).map(({ id }) => id));
  return { workers: recent.length, lapsed: recent.length - beating.size, beating };
});

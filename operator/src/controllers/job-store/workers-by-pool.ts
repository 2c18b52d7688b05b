import type { StoreSnapshot, WorkerSeen } from "./store-view.ts";

const grouped = new WeakMap<StoreSnapshot, ReadonlyMap<string, readonly WorkerSeen[]>>();

/** The workers of a snapshot by pool ("" for none), put in order once per snapshot and not once per queue. */
export function workersByPool(snapshot: StoreSnapshot): ReadonlyMap<string, readonly WorkerSeen[]> {
  const known = grouped.get(snapshot);
  if (known) return known;
  const pools = Map.groupBy(snapshot.workers, ({ pool }) => pool ?? "");
  grouped.set(snapshot, pools);
  return pools;
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

const fleets = new WeakMap<StoreSnapshot, Fleet>();

/** The fleet of a snapshot, counted once per snapshot. */
export function fleetOf(snapshot: StoreSnapshot): Fleet {
  const known = fleets.get(snapshot);
  if (known) return known;
  const recent = snapshot.workers.filter(
    ({ progress, silentMs }) => progress.state === "active" && silentMs < FLEET_MEMORY_MS,
  );
  const beating = new Set(recent.filter(({ alive }) => alive).map(({ id }) => id));
  const fleet = { workers: recent.length, lapsed: recent.length - beating.size, beating };
  fleets.set(snapshot, fleet);
  return fleet;
}

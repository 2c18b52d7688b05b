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

/**
 * Which JobQueues a change may concern. Keys only: what to do is decided from what is observed then. Too many keys cost a
 * look, too few cost correctness.
 */
import { LABEL_POOL } from "@jobqueue/crds";
import type { StoredDeployment, StoredJobQueue, StoredPod } from "../kubernetes-objects.ts";
import type { StoreChange } from "../job-store/changes.ts";
import { isStoreElsewhere, poolOf, queueNameOf, storeKeyOf } from "./desired/names.ts";

/** Key of a JobQueue, "namespace/name". */
type Key = string;

/** Name of the index of JobQueues by store. */
export const BY_STORE = "store";

/** Name of the index of JobQueues by what `slotOf` says: those in one slot are rivals. */
export const BY_SLOT = "slot";

/** Name of the index of JobQueues by the slots that their workers also serve. */
export const BY_SERVED = "served";

/** Name of the index of JobQueues by their namespace, of those whose JobStore is in another one. */
const BY_ABROAD = "abroad";

/** One queue of one store. */
export function slotOf(store: string, queue: string): string {
  return `${store}/${queue}`;
}

/** The indexes of the cache of JobQueues. */
export const JOB_QUEUE_INDEXES: Readonly<Record<string, (queue: StoredJobQueue) => readonly string[]>> = {
  [BY_STORE]: (queue) => [storeKeyOf(queue)],
  [BY_SLOT]: (queue) => [slotOf(storeKeyOf(queue), queueNameOf(queue))],
  [BY_SERVED]: (queue) => (queue.spec.workers?.alsoServes ?? []).map((name) => slotOf(storeKeyOf(queue), name)),
  [BY_ABROAD]: (queue) => (isStoreElsewhere(queue) ? [queue.metadata.namespace] : []),
};

/** Finds JobQueues by an index. */
export type FindQueues = (index: string, value: string) => readonly StoredJobQueue[];

/** A JobQueue changed: itself, its rivals, and the queues its workers serve (their WorkersAvailable tells of it). */
export function wokenByJobQueue(
  queue: StoredJobQueue,
  previous: StoredJobQueue | undefined,
  find: FindQueues,
): Set<Key> {
  const keys = new Set([poolOf(queue)]);
  if (previous && previous.metadata.generation === queue.metadata.generation && sameReadiness(previous, queue))
    return keys;
  const slots = [queue, ...(previous ? [previous] : [])].flatMap((one) => [
    slotOf(storeKeyOf(one), queueNameOf(one)),
    ...(one.spec.workers?.alsoServes ?? []).map((name) => slotOf(storeKeyOf(one), name)),
  ]);
  for (const slot of slots) for (const other of find(BY_SLOT, slot)) keys.add(poolOf(other));
  return keys;
}

/** Its status too concerns others only by whether it has a ready worker. */
function sameReadiness(a: StoredJobQueue, b: StoredJobQueue): boolean {
  return (a.status?.workers?.ready ?? 0) > 0 === (b.status?.workers?.ready ?? 0) > 0;
}

/** A Deployment or a PodDisruptionBudget with our labels changed: the JobQueue it names as its owner, and the one whose pool it claims to be. */
export function wokenByChild({ metadata }: Pick<StoredDeployment, "metadata">): Set<Key> {
  const { namespace = "" } = metadata;
  const names = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === "JobQueue").map(({ name }) => name);
  const pool = metadata.labels?.[LABEL_POOL];
  return new Set([...names, ...(pool === undefined ? [] : [pool])].map((name) => `${namespace}/${name}`));
}

/** A pod with our labels changed: the pool it belongs to. */
export function wokenByPod({ metadata }: StoredPod): Set<Key> {
  const pool = metadata.labels?.[LABEL_POOL];
  return new Set(pool === undefined ? [] : [`${metadata.namespace ?? ""}/${pool}`]);
}

/** The labels of a namespace may have changed: its JobQueues whose JobStore asks for labels, and their rivals, who count them only while they are let in. */
export function wokenByNamespace(namespace: string, find: FindQueues): Set<Key> {
  const slots = find(BY_ABROAD, namespace).map((queue) => slotOf(storeKeyOf(queue), queueNameOf(queue)));
  return new Set(slots.flatMap((slot) => find(BY_SLOT, slot)).map(poolOf));
}

/** Something in a store, or the store itself, changed. */
export function wokenByStore(store: string, change: StoreChange, find: FindQueues): Set<Key> {
  if (change.all) return new Set(find(BY_STORE, store).map(poolOf));
  const keys = new Set<Key>(change.pools);
  for (const queue of change.queues) {
    for (const index of [BY_SLOT, BY_SERVED]) {
      for (const object of find(index, slotOf(store, queue))) keys.add(poolOf(object));
    }
  }
  return keys;
}

import type { Finding } from "../../../plan/plan.ts";
import { queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed, OtherQueue } from "../observed.ts";

/**
 * Two JobQueues for the same queue of the same store: the older one counts, ties are broken by UID, and the other one does
 * nothing at all, to the store or to the cluster, so that deleting it is harmless (Strimzi proposal 051; CloudNativePG,
 * internal/management/controller/common.go). Asked before the store: the answer does not depend on it.
 */
export function conflict({ queue, rivals }: Observed): Finding {
  if (!queue) return {};
  const winner = rivals.find((rival) => isOlder(rival, queue.metadata));
  if (!winner) return {};
  const sentence =
    `JobQueue ${winner.name} is older and already manages the queue ${queueNameOf(queue)} of the store ${storeKeyOf(queue)}; ` +
    `this one does nothing. Delete one of the two, or give this one a queueName of its own in a new JobQueue.`;
  return { problem: { reason: "QueueConflict", sentence, ready: "False", needsPerson: true }, halt: true };
}

/** Whether `a` was made before `b`. Times are RFC 3339 in UTC, so they compare as text. */
function isOlder(a: OtherQueue, b: { readonly creationTimestamp: string; readonly uid: string }): boolean {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp;
  return a.uid < b.uid;
}

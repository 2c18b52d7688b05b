/** Names and labels of what the operator makes for a JobQueue. */
import { createHash } from "node:crypto";
import { LABEL_POOL, LABEL_QUEUE, type JobQueue } from "@jobqueue/crds";

/** Who owns the fields that server-side apply sets; also what `app.kubernetes.io/managed-by` says. */
export const FIELD_MANAGER = "jobqueue-operator";

/** Finaliser of a JobQueue whose deletionPolicy is not Retain. */
export const FINALIZER = "jobqueue.dev/queue";

/** Annotation with the hash of what was applied: equal hash, and untouched since, means nothing to do. */
export const APPLIED_HASH = "jobqueue.dev/applied-hash";

/** With more, the pods' names (17 more) would pass 63 and be cut by Kubernetes (Temporal worker controller, docs/limits.md). */
const LONGEST_NAME = 47;

/** First digits of the SHA-256 of a text: tells names and specs apart, protects nothing. */
export function shortHash(text: string, digits: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/** Name of the Deployment: `<name>-workers`; a long name is cut and made unique again by a hash of the whole. */
export function workersName(jobQueue: string): string {
  const plain = `${jobQueue}-workers`;
  if (plain.length <= LONGEST_NAME) return plain;
  const tail = `-${shortHash(jobQueue, 8)}-workers`;
  return jobQueue.slice(0, LONGEST_NAME - tail.length).replace(/[-.]+$/, "") + tail;
}

/** Name of the queue in the store. */
export function queueNameOf(queue: JobQueue): string {
  return queue.spec.queueName ?? queue.metadata.name;
}

/** "namespace/name" of the JobStore; it is always in the namespace of the JobQueue. */
export function storeKeyOf(queue: JobQueue): string {
  return `${queue.metadata.namespace}/${queue.spec.storeRef.name}`;
}

/** "namespace/name" of a JobQueue: its key, and what its workers call their pool. */
export function poolOf(queue: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${queue.metadata.namespace ?? ""}/${queue.metadata.name}`;
}

/** `status.selector`, and the selector of the Deployment: an HPA counts exactly the pods of the pool. */
export function selectorOf(queue: JobQueue): Readonly<Record<string, string>> {
  return { [LABEL_POOL]: queue.metadata.name };
}

/** Labels of the Deployment and of its pods. */
export function labelsOf(queue: JobQueue): Readonly<Record<string, string>> {
  return {
    "app.kubernetes.io/name": "jobqueue-worker",
    "app.kubernetes.io/instance": queue.metadata.name,
    "app.kubernetes.io/component": "worker",
    "app.kubernetes.io/managed-by": FIELD_MANAGER,
    "app.kubernetes.io/part-of": FIELD_MANAGER,
    [LABEL_QUEUE]: queueNameOf(queue),
    ...selectorOf(queue),
  };
}

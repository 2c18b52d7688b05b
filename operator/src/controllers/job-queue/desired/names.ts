/** Names and labels of what the operator makes for a JobQueue. */
import { createHash } from "node:crypto";
import { API_VERSION, LABEL_POOL, LABEL_QUEUE, type JobQueue } from "@jobqueue/crds";
import type { OwnerReference } from "../../../kube/index.ts";

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

/** "namespace/name" of the JobStore. */
export function storeKeyOf({ metadata, spec: { storeRef } }: JobQueue): string {
  return `${storeRef.namespace ?? metadata.namespace}/${storeRef.name}`;
}

/** Whether the JobStore is in another namespace, which has to let this one in and whose Secrets are out of reach. */
export function isStoreElsewhere({ metadata, spec: { storeRef } }: JobQueue): boolean {
  return storeRef.namespace !== undefined && storeRef.namespace !== metadata.namespace;
}

/** "namespace/name" of a JobQueue: its key, and what its workers call their pool. */
export function poolOf(queue: { readonly metadata: { readonly namespace?: string; readonly name: string } }): string {
  return `${queue.metadata.namespace ?? ""}/${queue.metadata.name}`;
}

/** `status.selector`, and the selector of the Deployment: an HPA counts exactly the pods of the pool. */
export function selectorOf(queue: JobQueue): Readonly<Record<string, string>> {
  return { [LABEL_POOL]: queue.metadata.name };
}

/** What makes an object of ours go with its JobQueue. */
export function ownerReferenceTo({ metadata: { name, uid } }: JobQueue): OwnerReference {
  // Without blockOwnerDeletion: it needs rights on finalizers, and nothing waits for the pods of a deleted queue.
  return { apiVersion: API_VERSION, kind: "JobQueue", name, uid: uid ?? "", controller: true };
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

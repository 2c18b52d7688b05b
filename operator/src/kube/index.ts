/** The API-server edge: the only folder that opens connections to it. No domain words, imports nothing of ours but `../runtime`. */
export { loadAccess, type Access, type AccessOptions, type Credentials } from "./access.ts";
export { Cache, type CacheOptions, type Index } from "./cache.ts";
export {
  KubeClient,
  type CallOptions,
  type DeleteOptions,
  type JsonPatchOperation,
  type KubeList,
  type ObjectRef,
  type Selection,
  type Writable,
  type WriteOptions,
} from "./client.ts";
export { connectOnce } from "./connect-once.ts";
export {
  isAborted,
  isAlreadyExists,
  isConflict,
  isDisruptionBudget,
  isExpired,
  isForbidden,
  isInvalid,
  isNamespaceTerminating,
  isNotFound,
  isOutcomeUnknown,
  isTooManyRequests,
  isUnauthorized,
  KubeError,
  retryAfterMs,
  retryClassOf,
  StatusError,
  type EdgeReason,
  type RetryClass,
  type StatusBody,
} from "./errors.ts";
export { EventRecorder, type EventFacts, type EventObject, type EventRecorderOptions } from "./events.ts";
export { Informer, type InformerOptions } from "./informer.ts";
export { LeaderElector, type LeaderElectorOptions } from "./lease.ts";
export { KUBE_METRICS, kubeMetrics, type KubeMetrics } from "./metrics.ts";
export { Reflector, type Change, type ReflectorOptions, type ReflectorTimes } from "./reflector.ts";
export {
  apiVersionOf,
  defineResource,
  keyOf,
  splitKey,
  type KubeObject,
  type ObjectKey,
  type OwnerReference,
  type Resource,
  type ResourceTarget,
  type Stored,
  type StoredMeta,
} from "./resources.ts";
export { Transport, type KubeRequest, type RequestObservation, type TransportOptions } from "./transport.ts";
export type { Term } from "./term.ts";

/** The part of `metadata` (metav1.ObjectMeta) that every object of ours has once the API server has stored it. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  /** Never used again, not even by an object of the same name. */
  uid: string;
  /** Opaque; equal or not equal is all that may be asked. */
  resourceVersion: string;
  /** Counts changes of the spec; status writes leave it alone. */
  generation: number;
  /** RFC 3339. */
  creationTimestamp: string;
  /** RFC 3339; set when deletion has begun and waits for finalizers. */
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
}

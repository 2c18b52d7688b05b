/**
 * Objects as the API server returned them from our own writes. A cache lags behind the writes of its own process; deciding
 * from it would repeat them. Until the cache has caught up, the written object stands in for the cached one.
 */
import { keyOf, type KubeObject, type ObjectKey, type Stored } from "../kube/index.ts";
import type { Clock } from "../runtime/index.ts";

/** A cache that shows nothing of a written object for this long has seen it and its deletion. */
const LONGEST_LAG_MS = 10_000;

/** Written objects of one kind. */
export class WrittenObjects<T extends KubeObject> {
  readonly #clock: Clock;
  readonly #written = new Map<ObjectKey, { readonly object: Stored<T>; readonly at: number }>();
  /** Outlives the object itself: small, and wanted for as long as the object exists. */
  readonly #generations = new Map<ObjectKey, { readonly uid: string; readonly generation: number | undefined }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers what a write returned. */
  note(object: Stored<T>): void {
    const { uid, generation } = object.metadata;
    this.#written.set(keyOf(object.metadata), { object, at: this.#clock.now() });
    this.#generations.set(keyOf(object.metadata), { uid, generation });
  }

  /** The generation that the last write of this object gave; absent when this process has not written it. */
  generationOf(key: ObjectKey, uid: string): number | undefined {
    const known = this.#generations.get(key);
    return known?.uid === uid ? known.generation : undefined;
  }

  /** The object was deleted, by whomever. */
  forget(key: ObjectKey): void {
    this.#written.delete(key);
    this.#generations.delete(key);
  }

  /** The newer of the cached and the written object. */
  newest(key: ObjectKey, cached: Stored<T> | undefined): Stored<T> | undefined {
    const written = this.#written.get(key);
    if (!written) return cached;
    const lags =
      cached?.metadata.uid === written.object.metadata.uid
        ? isOlder(cached.metadata.resourceVersion, written.object.metadata.resourceVersion)
        : this.#clock.now() - written.at < LONGEST_LAG_MS;
    if (lags) return written.object;
    this.#written.delete(key);
    return cached;
  }
}

/**
 * Resource versions are opaque, but numbers wherever etcd is beneath, and comparable by decree from Kubernetes 1.35 on
 * (KEP-5504). Where they are no numbers the cache wins, at the price of a write that changes nothing.
 */
function isOlder(a: string, b: string): boolean {
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);
}

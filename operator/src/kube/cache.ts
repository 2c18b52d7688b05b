import { keyOf, type KubeObject, type ObjectKey, type Stored } from "./resources.ts";

/** Maps an object to the values it is found under. */
export type Index<T extends KubeObject> = (object: Stored<T>) => readonly string[];

/** How a cache is made. */
export interface CacheOptions<T extends KubeObject> {
  /** Named indexes, e.g. `{ owner: (pod) => (pod.metadata.ownerReferences ?? []).map((owner) => owner.uid) }`. */
  readonly indexes?: Readonly<Record<string, Index<T>>>;
  /**
   * Drops what nobody reads before an object is kept; `managedFields` is always dropped. May change and return its
   * argument. Name, namespace, uid and resourceVersion must stay: the reflector lives by them.
   */
  readonly trim?: (object: Stored<T>) => Stored<T>;
  /**
   * Told when an index or `trim` throws over an object: it is kept, untrimmed, and not found by that index. An object that an
   * older or laxer definition of its kind let in must not keep all others out.
   */
  readonly onDefect?: (key: ObjectKey, error: unknown) => void;
}

/** Objects of one kind by key and by index, as last seen by a reflector. Objects are shared: treat them as frozen. */
export class Cache<T extends KubeObject> {
  readonly #objects = new Map<ObjectKey, Stored<T>>();
  readonly #indexes: readonly {
    readonly of: Index<T>;
    readonly keys: Map<string, Set<ObjectKey>>;
    readonly name: string;
  }[];
  readonly #trim: (object: Stored<T>) => Stored<T>;
  readonly #onDefect: (key: ObjectKey, error: unknown) => void;

  constructor(options: CacheOptions<T> = {}) {
    this.#indexes = Object.entries(options.indexes ?? {}).map(([name, of]) => ({ name, of, keys: new Map() }));
    this.#trim = options.trim ?? ((object) => object);
    this.#onDefect = options.onDefect ?? (() => {});
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<ObjectKey> {
    return this.#objects.keys();
  }

  values(): Iterable<Stored<T>> {
    return this.#objects.values();
  }

  /** Objects whose index `name` holds `value`. @throws when there is no such index */
  byIndex(name: string, value: string): readonly Stored<T>[] {
    const index = this.#indexes.find((entry) => entry.name === name);
    if (!index) throw new Error(`there is no index "${name}"`);
    return [...(index.keys.get(value) ?? [])].map((key) => this.#objects.get(key) as Stored<T>);
  }

  /** What of an object is kept. Changes its argument. */
  trim(object: Stored<T>): Stored<T> {
    delete (object.metadata as { managedFields?: unknown }).managedFields;
    try {
      return this.#trim(object);
    } catch (error) {
      this.#onDefect(keyOf(object.metadata), error);
      return object;
    }
  }

  /** For reflectors: keeps an object that was trimmed. */
  set(key: ObjectKey, object: Stored<T>): void {
    this.#unindex(key);
    this.#objects.set(key, object);
    for (const { of, keys } of this.#indexes) {
      for (const value of this.#valuesOf(of, key, object)) {
        const set = keys.get(value);
        if (set) set.add(key);
        else keys.set(value, new Set([key]));
      }
    }
  }

  /** For reflectors. */
  delete(key: ObjectKey): void {
    this.#unindex(key);
    this.#objects.delete(key);
  }

  #unindex(key: ObjectKey): void {
    const object = this.#objects.get(key);
    if (!object) return;
    for (const { of, keys } of this.#indexes) {
      for (const value of this.#valuesOf(of, key, object)) {
        const set = keys.get(value);
        set?.delete(key);
        if (set?.size === 0) keys.delete(value);
      }
    }
  }

  #valuesOf(of: Index<T>, key: ObjectKey, object: Stored<T>): readonly string[] {
    try {
      return of(object);
    } catch (error) {
      this.#onDefect(key, error);
      return [];
    }
  }
}

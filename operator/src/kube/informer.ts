import { BaseService } from "../runtime/service.ts";
import { Cache, type CacheOptions } from "./cache.ts";
import { Reflector, type ReflectorOptions } from "./reflector.ts";
import type { KubeObject } from "./resources.ts";

/** How an informer is made: a reflector's options, but with namespaces, and the cache is its own. */
export interface InformerOptions<T extends KubeObject>
  extends Omit<ReflectorOptions<T>, "cache" | "selection" | "name">, CacheOptions<T> {
  /** Empty: all namespaces, by one watch. Otherwise one watch each, so that rights in those namespaces suffice. */
  readonly namespaces: readonly string[];
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** One cache kept current by one reflector, or by one per namespace. */
export class Informer<T extends KubeObject> extends BaseService {
  readonly cache: Cache<T>;
  readonly #reflectors: readonly Reflector<T>[];

  constructor(options: InformerOptions<T>) {
    super(`informer ${options.resource.plural}`);
    const { namespaces, labelSelector, fieldSelector } = options;
    this.cache = new Cache(options);
    this.#reflectors = (namespaces.length > 0 ? [...new Set(namespaces)] : [undefined]).map(
      (namespace) =>
        new Reflector({ ...options, cache: this.cache, selection: { namespace, labelSelector, fieldSelector } }),
    );
    // At once, so that whoever waits for `synced` hears of it, also when nothing was started.
    this.stopping.addEventListener("abort", () => {
      for (const reflector of this.#reflectors) void reflector.stop();
    });
  }

  /** Resolves with `true` when all first lists have been delivered, with `false` when stopped before that. */
  async synced(): Promise<boolean> {
    const results = await Promise.all(this.#reflectors.map((reflector) => reflector.synced()));
    return results.every(Boolean);
  }

  get hasSynced(): boolean {
    return this.#reflectors.every((reflector) => reflector.hasSynced);
  }

  /** The largest of its reflectors' progress ages, milliseconds. */
  progressAgeMs(): number {
    return Math.max(...this.#reflectors.map((reflector) => reflector.progressAgeMs()));
  }

  protected override async onStart(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.start()));
  }

  protected override async onStop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }
}

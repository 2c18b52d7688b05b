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

/**
 * One cache kept current by one reflector, or by one per namespace: what is said of a reflector holds for each of them, and is
 * true of the informer when it is true of all. `synced` with several namespaces means every one; a namespace in which rights
 * are missing keeps the informer from syncing, as `trouble` says, but not the caches of the others from being current.
 * Stopping it, also before it was started, answers everybody who waits for `synced` or `catchUp` with `false`.
 */
export class Informer<T extends KubeObject> extends BaseService {
  readonly cache: Cache<T>;
  readonly #reflectors: readonly Reflector<T>[];

  constructor(options: InformerOptions<T>) {
    super(`informer ${options.resource.plural}`);
    const { namespaces, labelSelector, fieldSelector } = options;
    this.cache = new Cache({
      ...options,
      onDefect: (key, err) => {
        options.metrics.handlerErrors.inc({ name: options.resource.plural });
        options.log.error({ name: options.resource.plural, key, err }, "an object could not be indexed or trimmed");
      },
    });
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

  /** Lists anew; see `Reflector.catchUp`. */
  async catchUp(): Promise<boolean> {
    const results = await Promise.all(this.#reflectors.map((reflector) => reflector.catchUp()));
    return results.every(Boolean);
  }

  /** Why it fails now, for people; `undefined`: it does not. */
  get trouble(): string | undefined {
    return this.#reflectors.map(({ trouble }) => trouble).find((sentence) => sentence !== undefined);
  }

  /** Whether all its reflectors are; see `Reflector.isCurrent`. */
  isCurrent(ms: number): boolean {
    return this.#reflectors.every((reflector) => reflector.isCurrent(ms));
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

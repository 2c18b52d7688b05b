/**
 * Keeps a cache equal to the API server: one list, then watches, for ever.
 *
 * Invariants:
 * - The cache changes only by a complete list or by a watch event; a list that fails halfway changes nothing.
 * - `version` is what the cache is current to. It comes from lists, events and bookmarks, never from an error, and
 *   never goes back: events no newer than it are repetitions and are ignored. If one tells of something that the cache has
 *   not, the watch left something out or mixed up the order: nothing of it is believed, the kind is listed anew.
 * - A list older than what was already seen comes from a server that lags. It is refused, until several in a row
 *   have said the same: then the server was really set back (etcd restored), and is right.
 * - Any failure is followed by a delay (exponential, jittered, bounded) and another try; there is no last try. Expired
 *   versions (410) are followed by a new list. Only progress of a watch resets the delay, a successful list does not.
 * - An object whose uid changed under its name is a deletion and an addition, also when both happened unseen.
 *
 * Safety net: now and then the cache is compared with a full list, and the watch resumes from where it was, not from the
 * list. What the watch should have told by then and did not is counted as repaired; what merely happened meanwhile comes by the
 * watch and is not. So the counter is evidence: while it is 0, the watch has not lied. A list without anything that the cache
 * has not shows as well as an event that the cache is current.
 */
import { backoffMs } from "../runtime/backoff.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { whenCollected } from "../runtime/metrics.ts";
import { BaseService } from "../runtime/service.ts";
import type { Cache } from "./cache.ts";
import type { KubeClient, KubeList, Selection } from "./client.ts";
import { isExpired, isNotFound, isVersionTooLarge, KubeError } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import { isNoNewer, isOlder } from "./resource-version.ts";
import { keyOf, type KubeObject, type ObjectKey, type Resource, type Stored } from "./resources.ts";
import { watchEvents, type WatchEvent } from "./watch.ts";

/**
 * What became different in the cache. A hint to look, never the truth to act on. `initial`: from the first list, i.e.
 * perhaps nothing has changed at all (such keys go to the low-priority end of a queue).
 * An object that was deleted and created again under its name comes as `deleted` and then `added`.
 */
export type Change<T extends KubeObject> =
  | { readonly type: "added"; readonly object: Stored<T>; readonly initial: boolean }
  | { readonly type: "updated"; readonly object: Stored<T>; readonly previous: Stored<T> }
  | { readonly type: "deleted"; readonly object: Stored<T> };

/** Times of a reflector, milliseconds. */
export interface ReflectorTimes {
  /** Shortest and longest time the server is asked to keep a watch open (5 and 10 min, random so that watches do not end together). */
  readonly watchMinMs: number;
  readonly watchMaxMs: number;
  /** Added to the server's time for our own deadline (10 s). */
  readonly watchGraceMs: number;
  /** A watch without a byte for this long is opened again from the same version (3 min; bookmarks come about every minute). */
  readonly silenceMs: number;
  /** Time between comparisons of the cache with a full list (1 h). */
  readonly compareMs: number;
  /** Delay after failures in a row: first and longest (0.8 s, 30 s), up to half of it taken off at random. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

const TIMES: ReflectorTimes = {
  watchMinMs: 300_000,
  watchMaxMs: 600_000,
  watchGraceMs: 10_000,
  silenceMs: 180_000,
  compareMs: 3_600_000,
  backoffBaseMs: 800,
  backoffMaxMs: 30_000,
};

/** A watch that ends sooner, in good order but without a word, is a server in trouble (client-go: "very short watch"). */
const SHORT_WATCH_MS = 1000;
/** This many lists in a row must be older than what was seen before they are believed. */
const OLD_LISTS_REFUSED = 5;

/** How a reflector is made. */
export interface ReflectorOptions<T extends KubeObject> {
  /** Label of its metrics (default: the plural, with the namespace when narrowed to one). */
  readonly name?: string;
  readonly client: KubeClient;
  readonly resource: Resource<T>;
  readonly selection?: Selection;
  readonly cache: Cache<T>;
  /** Called in order, for one change at a time. What it throws is caught, logged and counted. */
  readonly onChange?: (change: Change<T>) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  readonly times?: Partial<ReflectorTimes>;
  readonly random?: () => number;
}

/** See the head of this file. `start` resolves at once; wait for `synced` before the cache is used. */
export class Reflector<T extends KubeObject> extends BaseService {
  readonly #options: ReflectorOptions<T>;
  readonly #times: ReflectorTimes;
  readonly #random: () => number;
  readonly #label: { readonly name: string };
  readonly #synced = Promise.withResolvers<boolean>();
  #hasSynced = false;
  #version: string | undefined;
  /** The newest version ever seen; unlike `version` it survives a 410. */
  #newest = "";
  #oldLists = 0;
  #failures = 0;
  #progressAt: number;
  #compareAt: number;
  /** Objects that a comparison did not find: gone unheard, unless the watch still tells of them before it passes `until`. */
  #suspects: { readonly until: string; readonly keys: ReadonlyMap<ObjectKey, string> } | undefined;
  /** Ends what the loop does now, so that it begins again. */
  #round = new AbortController();
  #catchingUp: PromiseWithResolvers<boolean> | undefined;
  #trouble: string | undefined;
  #stopCollecting: () => void = () => {};

  constructor(options: ReflectorOptions<T>) {
    const { resource, selection } = options;
    const name = options.name ?? [resource.plural, selection?.namespace].filter(Boolean).join("/");
    super(`reflector ${name}`);
    this.#options = options;
    this.#label = { name };
    this.#times = { ...TIMES, ...options.times };
    this.#random = options.random ?? Math.random;
    this.#progressAt = options.clock.now();
    this.#compareAt = options.clock.now() + this.#times.compareMs;
    this.stopping.addEventListener("abort", () => {
      this.#round.abort();
      this.#synced.resolve(false);
      this.#catchingUp?.resolve(false);
    });
  }

  /** Resolves with `true` after the first complete list has been delivered, with `false` when stopped before that. */
  synced(): Promise<boolean> {
    return this.#synced.promise;
  }

  /** Whether the first complete list has been delivered. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /**
   * Lists anew, at once. Resolves with `true` when the cache holds all that was committed before this call, with `false` when
   * stopped before that. For whoever begins to act and may have been cut off until now: a watch that has been silent cannot
   * say whether it is behind. While the first list is still on its way, that one counts: it is as of a moment ago.
   */
  catchUp(): Promise<boolean> {
    if (!this.#hasSynced || this.stopping.aborted)
      return this.synced().then((synced) => synced && !this.stopping.aborted);
    this.#catchingUp ??= Promise.withResolvers<boolean>();
    this.#version = undefined;
    this.#round.abort();
    return this.#catchingUp.promise;
  }

  /** Why the last list or watch failed, for people; `undefined` once the API server has answered with something new. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Whether the API server has shown within `ms` that the cache is current, and nothing has failed since. */
  isCurrent(ms: number): boolean {
    return this.#hasSynced && this.#trouble === undefined && this.progressAgeMs() <= ms;
  }

  /** Milliseconds since the API server last showed that the cache is current (event, bookmark, list, comparison, regular end of a watch). */
  progressAgeMs(): number {
    return this.#options.clock.now() - this.#progressAt;
  }

  protected override onStart(): void {
    const { metrics } = this.#options;
    metrics.repaired.inc(this.#label, 0); // there from the start, so that its rate can be asked for
    this.#stopCollecting = whenCollected(metrics.progressAge, () =>
      metrics.progressAge.set(this.#label, this.progressAgeMs() / 1000),
    );
    this.run((stopping) => this.#loop(stopping));
  }

  protected override onStop(): void {
    this.#stopCollecting();
    this.#options.metrics.progressAge.remove(this.#label);
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!stopping.aborted) {
      const { signal } = this.#round;
      try {
        if (this.#version === undefined) await this.#list(signal);
        else if (clock.now() >= this.#compareAt) await this.#compare(this.#version, signal);
        await this.#watch(signal);
      } catch (error) {
        if (!signal.aborted) await sleep(clock, this.#failed(error), signal);
      }
      if (signal.aborted && !stopping.aborted) this.#round = new AbortController();
    }
  }

  /** Notes a failure; returns how long to wait. */
  #failed(error: unknown): number {
    const { log, metrics } = this.#options;
    const reason = error instanceof KubeError ? error.reason : "Defect";
    if (isExpired(error) || isVersionTooLarge(error) || reason === "OutOfOrder") this.#version = undefined;
    this.#trouble = this.#sentenceOf(error);
    this.#failures += 1;
    const policy = { baseMs: this.#times.backoffBaseMs, maxMs: this.#times.backoffMaxMs, jitter: 0.5 };
    const waitMs = backoffMs(policy, this.#failures, this.#random);
    metrics.failures.inc({ ...this.#label, reason });
    log.warn(
      { ...this.#label, reason, err: error, failures: this.#failures, waitMs },
      "list or watch failed, will retry",
    );
    return waitMs;
  }

  #sentenceOf(error: unknown): string {
    const { group, plural } = this.#options.resource;
    const said = error instanceof Error ? error.message : String(error);
    return isNotFound(error)
      ? `the API server does not serve ${group === "" ? plural : `${plural}.${group}`}; is it installed? ${said}`
      : said;
  }

  async #read(signal: AbortSignal): Promise<KubeList<T>> {
    const { client, resource, selection, cache, metrics } = this.#options;
    metrics.lists.inc(this.#label);
    const list = await client.list(resource, selection, { signal, trim: (object) => cache.trim(object) });
    if (isOlder(list.resourceVersion, this.#newest) && this.#oldLists < OLD_LISTS_REFUSED) {
      this.#oldLists += 1;
      throw new KubeError(`the list is as of ${list.resourceVersion}, but ${this.#newest} was seen`, {
        reason: "StaleList",
        retry: "backoff",
      });
    }
    this.#oldLists = 0;
    return list;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const asked = this.#catchingUp; // whoever asks from now on wants a later list
    const list = await this.#read(signal);
    if (signal.aborted) return;
    const gone = this.#missingFrom(list);
    for (const item of list.items) this.#put(item);
    for (const key of gone.keys()) this.#remove(key);
    this.#suspects = undefined;
    this.#version = this.#newest = list.resourceVersion;
    this.#showedCurrent();
    this.#compareAt = this.#progressAt + this.#times.compareMs;
    this.#hasSynced = true;
    this.#synced.resolve(true);
    asked?.resolve(true);
    if (this.#catchingUp === asked) this.#catchingUp = undefined;
  }

  async #compare(version: string, signal: AbortSignal): Promise<void> {
    const list = await this.#read(signal);
    if (signal.aborted) return;
    this.#compareAt = this.#options.clock.now() + this.#times.compareMs;
    let newer = 0;
    for (const item of list.items) {
      const kept = this.#options.cache.get(keyOf(item.metadata));
      const { uid, resourceVersion } = item.metadata;
      if (kept?.metadata.uid === uid && kept.metadata.resourceVersion === resourceVersion) continue;
      if (!isNoNewer(resourceVersion, version)) {
        newer += 1;
        continue;
      }
      this.#repaired(keyOf(item.metadata));
      this.#put(item);
    }
    const missing = this.#missingFrom(list);
    this.#suspects = { until: list.resourceVersion, keys: missing };
    this.#clearSuspects(version);
    if (newer === 0 && missing.size === 0) this.#showedCurrent(); // else the watch has still to tell
  }

  /** The API server has just shown that the cache is current. */
  #showedCurrent(): void {
    this.#trouble = undefined;
    this.#progressAt = this.#options.clock.now();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { client, resource, selection = {}, clock, metrics } = this.#options;
    const { watchMinMs, watchMaxMs, watchGraceMs, silenceMs } = this.#times;
    const serverTimeoutMs = watchMinMs + this.#random() * (watchMaxMs - watchMinMs);
    const began = clock.now();
    const resourceVersion = this.#version as string;
    let events = 0;
    metrics.watches.inc(this.#label);
    try {
      const options = { selection, resourceVersion, serverTimeoutMs, graceMs: watchGraceMs, silenceMs, signal, clock };
      for await (const event of watchEvents(client.transport, resource, options)) {
        if (signal.aborted) return;
        events += 1;
        this.#failures = 0;
        this.#showedCurrent();
        this.#apply(event);
      }
    } finally {
      // A connection that lived this long was healthy, whatever ended it and however quiet the kind is.
      if (clock.now() - began > this.#times.backoffMaxMs) this.#failures = 0;
    }
    if (events === 0 && clock.now() - began < SHORT_WATCH_MS) {
      metrics.shortWatches.inc(this.#label);
      throw new KubeError("the watch ended at once", { reason: "ShortWatch", retry: "backoff" });
    }
    this.#progressAt = clock.now();
  }

  #apply(event: WatchEvent<T>): void {
    const version = event.type === "BOOKMARK" ? event.resourceVersion : event.object.metadata.resourceVersion;
    if (isNoNewer(version, this.#version as string)) return this.#expectKnown(event);
    if (event.type !== "BOOKMARK") {
      const key = keyOf(event.object.metadata);
      if (event.type !== "DELETED") this.#put(this.#options.cache.trim(event.object));
      else if (this.#options.cache.get(key)?.metadata.uid === event.object.metadata.uid) this.#remove(key);
    }
    this.#version = version;
    if (!isOlder(version, this.#newest)) this.#newest = version;
    this.#clearSuspects(version);
  }

  /** An event of the past must be one that was told before. @throws KubeError `OutOfOrder` */
  #expectKnown(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") return;
    const { uid, resourceVersion } = event.object.metadata;
    const kept = this.#options.cache.get(keyOf(event.object.metadata))?.metadata;
    const isKnown = kept?.uid === uid && isNoNewer(resourceVersion, kept.resourceVersion);
    if (isKnown || (event.type === "DELETED" && kept?.uid !== uid)) return;
    throw new KubeError(`an event of ${resourceVersion} came after ${this.#version}, and was not known`, {
      reason: "OutOfOrder",
      retry: "backoff",
    });
  }

  /** Everything up to `version` has been told: suspects of before that are really gone. */
  #clearSuspects(version: string): void {
    if (!this.#suspects || !isNoNewer(this.#suspects.until, version)) return;
    for (const [key, uid] of this.#suspects.keys) {
      if (this.#options.cache.get(key)?.metadata.uid !== uid) continue;
      this.#repaired(key);
      this.#remove(key);
    }
    this.#suspects = undefined;
  }

  #repaired(key: ObjectKey): void {
    this.#options.metrics.repaired.inc(this.#label);
    this.#options.log.error({ ...this.#label, key }, "the watch had not told of a change, repaired from a list");
  }

  /** What the cache has of this reflector's namespace and the list has not: key and uid. */
  #missingFrom(list: KubeList<T>): Map<ObjectKey, string> {
    const { cache, selection } = this.#options;
    const listed = new Set(list.items.map((item) => keyOf(item.metadata)));
    const mine = [...cache.values()].filter(
      ({ metadata }) => selection?.namespace === undefined || metadata.namespace === selection.namespace,
    );
    const missing = mine.filter(({ metadata }) => !listed.has(keyOf(metadata)));
    return new Map(missing.map(({ metadata }) => [keyOf(metadata), metadata.uid]));
  }

  #put(object: Stored<T>): void {
    const { cache } = this.#options;
    const key = keyOf(object.metadata);
    const previous = cache.get(key);
    if (previous?.metadata.uid === object.metadata.uid) {
      if (previous.metadata.resourceVersion === object.metadata.resourceVersion) return;
      cache.set(key, object);
      this.#tell({ type: "updated", object, previous });
    } else {
      if (previous) this.#remove(key);
      cache.set(key, object);
      this.#tell({ type: "added", object, initial: !this.#hasSynced });
    }
  }

  #remove(key: ObjectKey): void {
    const object = this.#options.cache.get(key);
    if (!object) return;
    this.#options.cache.delete(key);
    this.#tell({ type: "deleted", object });
  }

  #tell(change: Change<T>): void {
    try {
      this.#options.onChange?.(change);
    } catch (error) {
      const { log, metrics } = this.#options;
      metrics.handlerErrors.inc(this.#label);
      log.error({ ...this.#label, key: keyOf(change.object.metadata), err: error }, "a change handler threw");
    }
  }
}

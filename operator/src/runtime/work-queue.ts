/**
 * The queue between "something about this key changed" and the worker that looks at it. Semantics of client-go
 * `util/workqueue`, in one type:
 *
 * - *De-duplicated*: a key that waits is not added a second time; adding it again can only make it more urgent.
 * - *One at a time*: a key is never handed to two workers. Added while it is worked on, it waits for `done` and comes again.
 * - *Two priorities*: what only a restart or a resync wants looked at (`low`) never delays a live change (`normal`).
 * - *Delays*: `addAfter` keeps the earliest time asked for. `addRateLimited` waits the longer of the key's own exponential
 *   backoff and of a token from a bucket shared by all keys; `forget` resets the backoff. An `add` overrides any delay but the
 *   one a server asked for: before that is over nothing makes the key ready (client-go has no such limit; there a key that
 *   changes its own status on failure comes back at once).
 * - *Closing*: `close` wakes every waiting `get` with `undefined`; keys not yet handed out are dropped.
 */
import { backoffMs, type BackoffPolicy } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { Heap } from "./heap.ts";
import { whenCollected, type RuntimeMetrics } from "./metrics.ts";
import { TokenBucket } from "./rate-limit.ts";

/** `low` is for the initial list and for resyncs. */
export type Priority = "normal" | "low";

/** How a queue is made. */
export interface WorkQueueOptions {
  /** Label `name` of the queue's metrics. */
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: RuntimeMetrics;
  /** Per-key backoff (default 5 ms doubling to 1,000 s, as client-go). */
  readonly backoff?: BackoffPolicy;
  /** Bucket over all rate-limited adds (default 10 per second, burst 100, as client-go). */
  readonly bucket?: { readonly perSecond: number; readonly burst: number };
}

/** A key that waits for its time. */
interface Delayed {
  readonly key: string;
  readonly at: number;
  readonly priority: Priority;
}

const CLIENT_GO_BACKOFF: BackoffPolicy = { baseMs: 5, maxMs: 1_000_000 };
const CLIENT_GO_BUCKET = { perSecond: 10, burst: 100 };

/** See the head of this file. */
export class WorkQueue {
  readonly name: string;
  readonly #clock: Clock;
  readonly #metrics: RuntimeMetrics;
  readonly #backoff: BackoffPolicy;
  readonly #bucket: TokenBucket;
  /** Keys that can be taken, in the order they came (sets keep it), and since when. A key is in at most one of the two. */
  readonly #ready: Readonly<Record<Priority, Map<string, number>>> = { normal: new Map(), low: new Map() };
  /** Keys that workers hold, and since when. */
  readonly #processing = new Map<string, number>();
  /** Keys that were added while a worker held them. */
  readonly #again = new Map<string, Priority>();
  /** The valid delay of each delayed key; what the heap holds beside these is outdated and skipped. */
  readonly #delayed = new Map<string, Delayed>();
  readonly #heap = new Heap<Delayed>((a, b) => a.at - b.at);
  readonly #failures = new Map<string, number>();
  /** Until when a server has asked to be left alone about a key. */
  readonly #notBefore = new Map<string, number>();
  readonly #waiters: ((key: string | undefined) => void)[] = [];
  readonly #stopCollecting: readonly (() => void)[];
  #cancelTimer: () => void = () => {};
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#metrics = options.metrics;
    this.#backoff = options.backoff ?? CLIENT_GO_BACKOFF;
    this.#bucket = new TokenBucket({ clock: options.clock, ...(options.bucket ?? CLIENT_GO_BUCKET) });
    const { queueDepth, unfinished, longestRunning } = options.metrics;
    this.#stopCollecting = [queueDepth, unfinished, longestRunning].map((gauge) =>
      whenCollected(gauge, () => this.#measure()),
    );
  }

  /** Keys that wait to be taken; delayed keys and keys being worked on do not count. */
  get depth(): number {
    return this.#ready.normal.size + this.#ready.low.size;
  }

  /** Makes the key ready now. A key that waited for a delay no longer does. */
  add(key: string, priority: Priority = "normal"): void {
    if (this.#closed) return;
    const leaveAloneMs = (this.#notBefore.get(key) ?? 0) - this.#clock.now();
    if (leaveAloneMs > 0) return this.addAfter(key, leaveAloneMs, priority);
    this.#notBefore.delete(key);
    this.#delayed.delete(key);
    if (this.#processing.has(key)) {
      if (this.#again.get(key) !== "normal") this.#again.set(key, priority);
      return;
    }
    if (this.#ready.normal.has(key)) return;
    const since = this.#ready.low.get(key);
    if (since !== undefined && priority === "low") return;
    this.#ready.low.delete(key);
    this.#ready[priority].set(key, since ?? this.#clock.now());
    if (since === undefined) this.#metrics.queueAdds.inc({ name: this.name });
    this.#waiters.shift()?.(this.#take());
  }

  /** Makes the key ready after `ms`; does nothing when it is already ready or due earlier. */
  addAfter(key: string, ms: number, priority: Priority = "normal"): void {
    if (ms <= 0) return this.add(key, priority);
    if (this.#closed || this.#again.has(key) || this.#ready.normal.has(key) || this.#ready.low.has(key)) return;
    const due = this.#delayed.get(key);
    const at = this.#clock.now() + ms;
    if (due && due.at <= at) return;
    const delayed = { key, at, priority };
    this.#delayed.set(key, delayed);
    this.#heap.push(delayed);
    if (this.#heap.peek() === delayed) this.#arm();
  }

  /**
   * Counts a failure of the key and makes it ready after its backoff, a token of the shared bucket and `atLeastMs`,
   * whichever is latest; before `atLeastMs` it does not become ready at all. Returns the delay in milliseconds.
   */
  addRateLimited(key: string, atLeastMs = 0): number {
    const failures = this.failures(key) + 1;
    this.#failures.set(key, failures);
    this.#metrics.queueRetries.inc({ name: this.name });
    if (atLeastMs > 0) this.#notBefore.set(key, this.#clock.now() + atLeastMs);
    const ms = Math.max(backoffMs(this.#backoff, failures), this.#bucket.reserve(), atLeastMs);
    this.addAfter(key, ms);
    return ms;
  }

  /** The key succeeded, or is given up: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
    this.#notBefore.delete(key);
  }

  /** Failures in a row of the key. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Takes the next key, waiting for one. `undefined` once the queue is closed. Whoever takes a key must call `done`. */
  get(): Promise<string | undefined> {
    if (this.#closed || this.depth > 0) return Promise.resolve(this.#take());
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** The worker has finished with the key; if it was added meanwhile, it becomes ready again. */
  done(key: string): void {
    const since = this.#processing.get(key);
    if (since === undefined) return;
    this.#processing.delete(key);
    this.#metrics.workSeconds.observe({ name: this.name }, (this.#clock.now() - since) / 1000);
    const again = this.#again.get(key);
    this.#again.delete(key);
    if (again) this.add(key, again);
  }

  /** Hands out nothing more. Idempotent; later adds are ignored. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    for (const stop of this.#stopCollecting) stop();
    const maps = [this.#ready.normal, this.#ready.low, this.#delayed, this.#again, this.#notBefore];
    for (const map of maps) map.clear();
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
    this.#measure();
  }

  #take(): string | undefined {
    for (const priority of ["normal", "low"] as const) {
      for (const [key, since] of this.#ready[priority]) {
        const now = this.#clock.now();
        this.#ready[priority].delete(key);
        this.#processing.set(key, now);
        this.#metrics.queueSeconds.observe({ name: this.name }, (now - since) / 1000);
        return key;
      }
    }
    return undefined;
  }

  /** Has the timer fire when the first delayed key is due. */
  #arm(): void {
    this.#cancelTimer();
    const first = this.#heap.peek();
    if (first) this.#cancelTimer = this.#clock.after(first.at - this.#clock.now(), () => this.#release());
  }

  #release(): void {
    const now = this.#clock.now();
    for (let first = this.#heap.peek(); first && first.at <= now; first = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#delayed.get(first.key) !== first) continue;
      this.#delayed.delete(first.key);
      this.add(first.key, first.priority);
    }
    this.#arm();
  }

  #measure(): void {
    const { name } = this;
    const ages = [...this.#processing.values()].map((since) => (this.#clock.now() - since) / 1000);
    this.#metrics.unfinished.set(
      { name },
      ages.reduce((sum, age) => sum + age, 0),
    );
    this.#metrics.longestRunning.set({ name }, Math.max(0, ...ages));
    for (const priority of ["normal", "low"] as const) {
      this.#metrics.queueDepth.set({ name, priority }, this.#ready[priority].size);
    }
  }
}

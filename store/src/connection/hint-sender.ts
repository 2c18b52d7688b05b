/**
 * Sends one batch of hints: the names of queues that got jobs. With `askInterval` it also returns how long to wait between two
 * batches from now on, milliseconds (the store's `hint_interval_ms`).
 */
export type SendHints = (queues: readonly string[], askInterval: boolean) => Promise<number | undefined>;

/** Between two batches until the store has said, milliseconds. */
const FIRST_INTERVAL_MS = 5;

/** The interval is asked for again after this time, milliseconds. */
const ASK_AGAIN_MS = 10_000;

/**
 * Coalesces hints: the first leaves at once, so an idle queue's job starts within a millisecond; while hints keep
 * coming, at most one statement per interval leaves, with each queue named once.
 *
 * Why not a NOTIFY with every enqueue: it takes a lock that serialises all commits of the database. Measured with 32
 * clients on two cores, one row each: 18.0k transactions/s without, 3.9k with NOTIFY in every one, 16.6k coalesced. It also
 * wakes every listening backend, so the interval grows with the number of workers (bench/README.md, B7).
 *
 * A hint that cannot be sent is dropped: workers poll, and polling is the truth.
 */
export class HintSender {
  readonly #send: SendHints;
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #intervalMs = FIRST_INTERVAL_MS;
  #askAgainAt = 0;

  constructor(send: SendHints) {
    this.#send = send;
  }

  /** Notes that queues got committed jobs. */
  note(queues: readonly string[]): void {
    for (const queue of queues) this.#waiting.add(queue);
    this.#schedule();
  }

  /** Resolves when everything noted so far was sent or dropped. */
  async flush(): Promise<void> {
    while (this.#sending || this.#waiting.size > 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await (this.#sending ?? this.#sendNow());
    }
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || this.#timer || this.#sending) return;
    const waitMs = this.#lastSentAt + this.#intervalMs - performance.now();
    if (waitMs <= 0) {
      void this.#sendNow();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#sendNow();
    }, waitMs);
  }

  async #sendNow(): Promise<void> {
    const queues = [...this.#waiting];
    this.#waiting.clear();
    this.#lastSentAt = performance.now();
    this.#sending = this.#sendAndLearn(queues).catch(() => {
      // dropped, as promised above
    });
    await this.#sending;
    this.#sending = undefined;
    this.#schedule();
  }

  async #sendAndLearn(queues: readonly string[]): Promise<void> {
    const nowMs = performance.now();
    const askInterval = nowMs >= this.#askAgainAt;
    // Even if it fails: a question that is never answered must not take every hint with it.
    if (askInterval) this.#askAgainAt = nowMs + ASK_AGAIN_MS;
    this.#intervalMs = (await this.#send(queues, askInterval)) ?? this.#intervalMs;
  }
}

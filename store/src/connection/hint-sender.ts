/** Sends one batch of hints: the names of queues that got jobs. */
export type SendHints = (queues: readonly string[]) => Promise<void>;

/**
 * Coalesces hints: the first leaves at once, so an idle queue's job starts within a millisecond; while hints keep
 * coming, at most one statement per interval leaves, with each queue named once.
 *
 * Why not a NOTIFY with every enqueue: it takes a lock that serialises all commits of the database. Measured with 32
 * clients on two cores, one row each: 18.0k transactions/s without, 3.9k with NOTIFY in every one, 16.6k coalesced.
 *
 * A hint that cannot be sent is dropped: workers poll, and polling is the truth.
 */
export class HintSender {
  readonly #send: SendHints;
  readonly #intervalMs: number;
  readonly #waiting = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #lastSentAt = Number.NEGATIVE_INFINITY;

  constructor(send: SendHints, intervalMs = 5) {
    this.#send = send;
    this.#intervalMs = intervalMs;
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
    this.#sending = this.#send(queues).catch(() => {
      // dropped, as promised above
    });
    await this.#sending;
    this.#sending = undefined;
    this.#schedule();
  }
}

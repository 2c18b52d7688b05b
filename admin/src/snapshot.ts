/** What is read at most once at a time, with the moment it was true. */
export interface Seen<T> {
  readonly value: T;
  readonly at: Date;
  /** Not of this moment: reading takes longer than anybody waits, so this is the last one, from `at`. */
  readonly partial: boolean;
}

/** How a snapshot is taken. */
export interface SnapshotOptions<T> {
  readonly load: () => Promise<T>;
  readonly now: () => Date;
  /** Longer than this nobody waits for what usually takes longer, when there is something older. */
  readonly patienceMs: number;
}

/** What usually takes no longer than the patience is worth this many times as much of it: something hiccups, once. */
const HICCUP = 8;
/** What takes longer than a hiccup rests so many times as long as it took: people who watch must not wear a store out. */
const REST = 4;
/** How many reads say what is usual. */
const REMEMBERED = 5;

/**
 * Something that takes milliseconds in a small store and seconds in a large one, such as counting all jobs. Whoever asks
 * gets what was read after the question, if that does not take longer than the patience; else the last one, marked, while the next
 * is under way. However many ask, one read is under way: a slow store is never asked faster than it answers.
 */
export class Snapshot<T> {
  readonly #options: SnapshotOptions<T>;
  #last: Omit<Seen<T>, "partial"> | undefined;
  #running: Promise<Omit<Seen<T>, "partial">> | undefined;
  /** Until when no read begins; milliseconds since 1970. */
  #restsUntil = 0;
  /** How long the last reads took, milliseconds. */
  readonly #took: number[] = [];
  /** The read that begins when the one under way has ended: that one does not know what happened since it began. */
  #next: Promise<Omit<Seen<T>, "partial">> | undefined;

  constructor(options: SnapshotOptions<T>) {
    this.#options = options;
  }

  /** Rejects as `load` does, when there never was a value or `load` fails in time. */
  async read(): Promise<Seen<T>> {
    if (this.#last !== undefined && this.#options.now().getTime() < this.#restsUntil)
      return { ...this.#last, partial: true };
    const fresh = this.#fresh();
    if (this.#last === undefined) return { ...(await fresh), partial: false };
    const last = this.#last;
    fresh.catch(() => {});
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<Seen<T>>((resolve) => {
      timer = setTimeout(resolve, this.#patienceMs(), { ...last, partial: true });
    });
    try {
      return await Promise.race([fresh.then((seen) => ({ ...seen, partial: false })), patience]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    await this.#running?.catch(() => {});
    await this.#next?.catch(() => {});
  }

  #patienceMs(): number {
    const { patienceMs } = this.#options;
    return Math.min(...this.#took) <= patienceMs ? HICCUP * patienceMs : patienceMs;
  }

  async #fresh(): Promise<Omit<Seen<T>, "partial">> {
    if (this.#running === undefined) return this.#load();
    this.#next ??= this.#running
      .catch(() => {})
      .then(async () => {
        this.#next = undefined;
        return this.#load();
      });
    return this.#next;
  }

  async #load(): Promise<Omit<Seen<T>, "partial">> {
    const loading = (async () => {
      const at = this.#options.now();
      const value = await this.#options.load();
      this.#last = { value, at };
      const ended = this.#options.now().getTime();
      const took = ended - at.getTime();
      this.#took.push(took);
      if (took > HICCUP * this.#options.patienceMs) this.#restsUntil = ended + REST * took;
      if (this.#took.length > REMEMBERED) this.#took.shift();
      return this.#last;
    })();
    this.#running = loading;
    try {
      return await loading;
    } finally {
      if (this.#running === loading) this.#running = undefined;
    }
  }
}

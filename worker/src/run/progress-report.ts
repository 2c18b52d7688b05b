import { type ClaimedJob, progress, type Session, toJsonText } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import { within } from "../within.ts";

/** What reporting progress needs. */
export interface ProgressParts {
  readonly session: Session;
  readonly trouble: StoreTrouble;
  /** The store says that the job's lease is lost. */
  readonly onLost: () => void;
}

/** Least time between two writes of one job, milliseconds: a handler may report every page, people read every second. */
const INTERVAL_MS = 1_000;

/** The store's own limit, bytes of JSON. */
const MAX_BYTES = 16_384;

/** How long the end of an attempt waits for its last report, milliseconds: progress is no reason to keep a slot. */
const FLUSH_TIMEOUT_MS = 1_000;

/**
 * Reports the progress of one attempt to the store: the first value at once, then at most one a second, and the last one
 * at the end. Values between are skipped. A report that fails is not repeated: the next one carries more.
 */
export class ProgressReport {
  readonly #parts: ProgressParts;
  readonly #job: ClaimedJob;
  /** The newest value until it is sent. */
  #unsent: { readonly value: unknown } | undefined;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #sending: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(job: ClaimedJob, parts: ProgressParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /**
   * Takes a new value.
   *
   * @throws StoreError (`invalid_input`) when it is nothing that JSON can hold, RangeError when it is too large.
   */
  report(value: unknown): void {
    // Read now: the handler may go on to change what it reported, and must hear of a bad value where it gave it.
    const text = toJsonText(value, `progress of job ${this.#job.id}`);
    const bytes = Buffer.byteLength(text);
    if (bytes > MAX_BYTES) throw new RangeError(`progress has ${bytes} bytes as JSON; at most ${MAX_BYTES} are kept`);
    this.#unsent = { value: JSON.parse(text) as unknown };
    this.#schedule();
  }

  /** Sends what is left. Resolves when it was sent, or when that takes too long. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rest = async (): Promise<void> => {
      await this.#sending;
      if (this.#unsent !== undefined) await this.#send();
    };
    await within(FLUSH_TIMEOUT_MS, rest());
    this.#unsent = undefined;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#sending !== undefined) return;
    const waitMs = this.#sentAtMs + INTERVAL_MS - monotonicMs();
    if (waitMs <= 0) {
      void this.#send();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, waitMs);
  }

  #send(): Promise<void> {
    this.#sending = this.#write().finally(() => {
      this.#sending = undefined;
      if (this.#unsent !== undefined) this.#schedule();
    });
    return this.#sending;
  }

  async #write(): Promise<void> {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    this.#unsent = undefined;
    this.#sentAtMs = monotonicMs();
    const { session, trouble, onLost } = this.#parts;
    try {
      const { id, leaseToken } = this.#job;
      const held = await progress(session, { id, leaseToken }, unsent.value);
      trouble.worked("progress");
      if (!held) onLost();
    } catch (error) {
      trouble.failed("progress", error);
    }
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "@jobqueue/operator/runtime";
import type { EndedMinute } from "@jobqueue/store";

/** How what ended is read. */
export interface EndedHistoryOptions {
  /** Reads it; the statement has a time limit of its own. */
  readonly load: () => Promise<readonly EndedMinute[]>;
  readonly now: () => Date;
  /** Longer nobody waits, milliseconds. */
  readonly patienceMs: number;
  readonly log: Log;
}

/** After a read the store is left alone for so many times as long as it took: charts cost it a twentieth at most. */
const REST = 19;

/**
 * What ended in the last hour, for charts. Where millions of jobs end in a day the store takes seconds to read that, so nobody waits
 * for it: whoever asks gets the last answer, and the next one is read in the background, one at a time and seldom.
 */
export class EndedHistory {
  readonly #options: EndedHistoryOptions;
  #last: readonly EndedMinute[] = [];
  #at: Date | undefined;
  #running: Promise<void> | undefined;
  /** Milliseconds since 1970. */
  #restsUntil = 0;

  constructor(options: EndedHistoryOptions) {
    this.#options = options;
  }

  /** What was read last, and when; undefined: it was never read yet. */
  async read(): Promise<{ readonly minutes: readonly EndedMinute[]; readonly at: Date | undefined }> {
    const { now, patienceMs } = this.#options;
    if (now().getTime() >= this.#restsUntil) this.#running ??= this.#load();
    if (this.#running !== undefined) {
      const patience = new AbortController();
      const waited = sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => {});
      await Promise.race([this.#running, waited]);
      patience.abort();
    }
    return { minutes: this.#last, at: this.#at };
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    await this.#running;
  }

  async #load(): Promise<void> {
    const { load, now, log } = this.#options;
    const at = now();
    try {
      this.#last = await load();
      this.#at = at;
    } catch (error) {
      // What was read before stays, and says how old it is.
      log.debug({ err: error }, "what ended could not be read");
    }
    this.#restsUntil = now().getTime() + REST * (now().getTime() - at.getTime());
    this.#running = undefined;
  }
}

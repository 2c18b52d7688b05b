import { monotonicMs } from "../clock.ts";
import type { Service } from "../service.ts";
import type { StoreTrouble } from "../store-trouble.ts";

/** Something that every worker does for the whole store from time to time, so that nothing else need run. */
export interface Chore {
  /** Names it in logs and metrics. */
  readonly name: string;
  /** Longest time between two turns, milliseconds; each wait is between half of it and all of it. */
  readonly intervalMs: number;
  /** Does it once; resolves with whether there is more to do at once. Safe however many workers do it at one time. */
  run(): Promise<boolean>;
}

/** Least time between two turns, milliseconds, also when there is more to do: workers share the work that is left. */
const MORE_MS = 100;

/** The first turn comes within this time, milliseconds: whoever starts may be replacing a worker that was lost. */
const FIRST_MS = 2_000;

/**
 * Does a chore over and over, with jitter, so that many workers spread over the interval; sooner or later than that where
 * somebody knows when there is something to do. It never ends because of an error.
 */
export class Periodic implements Service {
  readonly #chore: Chore;
  readonly #trouble: StoreTrouble;
  #stopping = false;
  #loop: Promise<void> | undefined;
  #nextMs = 0;
  #endedMs = Number.NEGATIVE_INFINITY;
  /** What `nextIn` said while a turn was under way. */
  #saidMs: number | undefined;
  #turning = false;
  #wakeUp: (() => void) | undefined;

  constructor(chore: Chore, trouble: StoreTrouble) {
    this.#chore = chore;
    this.#trouble = trouble;
  }

  start(): Promise<void> {
    this.#nextMs = monotonicMs() + Math.random() * Math.min(this.#chore.intervalMs, FIRST_MS);
    this.#loop ??= this.#run();
    return Promise.resolve();
  }

  /** Resolves when the statement that is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeUp?.();
    await this.#loop;
  }

  /**
   * The next turn comes after so many milliseconds, whatever the interval says, because somebody knows when there is
   * something to do; but at least `leastMs` after the last turn. While a turn is under way this is about the one after it.
   */
  nextIn(waitMs: number, leastMs = MORE_MS): void {
    const nowMs = monotonicMs();
    if (this.#turning) {
      // The soonest of several: a hint may be newer than the answer that comes after it.
      this.#saidMs = Math.min(this.#saidMs ?? Number.POSITIVE_INFINITY, nowMs + Math.max(waitMs, leastMs));
      return;
    }
    this.#nextMs = Math.max(nowMs + waitMs, this.#endedMs + leastMs);
    this.#wakeUp?.();
  }

  async #run(): Promise<void> {
    while (await this.#due()) {
      this.#turning = true;
      const more = await this.#turn();
      this.#turning = false;
      this.#endedMs = monotonicMs();
      const intervalMs = this.#chore.intervalMs * (0.5 + 0.5 * Math.random());
      this.#nextMs = more ? this.#endedMs + MORE_MS : (this.#saidMs ?? this.#endedMs + intervalMs);
      this.#saidMs = undefined;
    }
  }

  /** Resolves with true when it is time for a turn, and with false when there are no more. */
  async #due(): Promise<boolean> {
    while (!this.#stopping) {
      const waitMs = this.#nextMs - monotonicMs();
      if (waitMs <= 0) return true;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wakeUp = undefined;
    }
    return false;
  }

  async #turn(): Promise<boolean> {
    const { name } = this.#chore;
    try {
      const more = await this.#chore.run();
      this.#trouble.worked(name);
      return more;
    } catch (error) {
      this.#trouble.failed(name, error);
      return false;
    }
  }
}

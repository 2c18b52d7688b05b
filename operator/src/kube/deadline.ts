import type { Clock } from "../runtime/clock.ts";

/** A signal that aborts after a time or with the caller's own signal, and remembers which. Must be cleared. */
export class Deadline {
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #parent: AbortSignal | undefined;
  #at = 0;
  #stopClock: () => void = () => {};
  #expired = false;

  constructor(clock: Clock, ms: number, parent?: AbortSignal) {
    this.#clock = clock;
    this.signal = this.#controller.signal;
    this.#parent = parent;
    this.restart(ms);
    parent?.addEventListener("abort", this.#abort);
    if (parent?.aborted) this.#abort();
  }

  /** Whether it was the time that ended it. */
  get expired(): boolean {
    return this.#expired;
  }

  remainingMs(): number {
    return this.#at - this.#clock.now();
  }

  /** Counts `ms` from now. */
  restart(ms: number): void {
    this.#stopClock();
    this.#at = this.#clock.now() + ms;
    this.#stopClock = this.#clock.after(ms, () => {
      this.#expired = true;
      this.#controller.abort();
    });
  }

  /** From now on only the parent's signal ends it. */
  stopClock(): void {
    this.#stopClock();
  }

  /** Lets go of the timer and of the parent (which usually lives longer: without this it would collect listeners). */
  clear(): void {
    this.#stopClock();
    this.#parent?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    this.#controller.abort();
  };
}

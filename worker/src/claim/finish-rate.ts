/** Time over which the rate forgets, milliseconds: after as long without a finish it has fallen to 37 %. */
const MEMORY_MS = 1_000;

/** How many jobs finish per millisecond, as an exponentially decaying count: falls by itself when nothing finishes. */
export class FinishRate {
  #weight = 0;
  #at = 0;

  /** Counts finished jobs at the monotonic time `nowMs`. */
  add(finished: number, nowMs: number): void {
    this.#weight = this.#decayed(nowMs) + finished;
    this.#at = nowMs;
  }

  /** Jobs per millisecond, as of `nowMs`. */
  perMs(nowMs: number): number {
    return this.#decayed(nowMs) / MEMORY_MS;
  }

  #decayed(nowMs: number): number {
    return this.#weight * Math.exp(-Math.max(0, nowMs - this.#at) / MEMORY_MS);
  }
}

import { sleep, type Clock } from "./clock.ts";

/**
 * Token bucket on the monotonic clock: `burst` tokens at most, refilled at `perSecond`.
 *
 * Takers reserve: each taker moves the bucket below zero and waits until its own token exists, so waiting takers are
 * served in the order they came and nobody starves.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(options: { readonly clock: Clock; readonly perSecond: number; readonly burst: number }) {
    this.#clock = options.clock;
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#at = options.clock.now();
  }

  /** Takes a token if one is there now. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes the next token, existing or not; returns the milliseconds until it exists (0: now). */
  reserve(): number {
    this.#refill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }

  /** Waits for a token. Resolves with `false`, giving the token back, when the signal aborts first. */
  async take(signal?: AbortSignal): Promise<boolean> {
    const waitMs = this.reserve();
    if (waitMs === 0 || (await sleep(this.#clock, waitMs, signal))) return true;
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
    return false;
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}

import { monotonicMs } from "./clock.ts";
import type { Service } from "./service.ts";
import type { SharedFacts } from "./watchdog/shared-facts.ts";

/** Shows the watchdog that the event loop turns, and runs what must be looked at on every turn. */
export class LoopTick implements Service {
  readonly #intervalMs: number;
  readonly #shared: SharedFacts;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;
  #longestBlockMs = 0;

  constructor(intervalMs: number, shared: SharedFacts, onTick: () => void) {
    this.#intervalMs = intervalMs;
    this.#shared = shared;
    this.#onTick = onTick;
  }

  start(): Promise<void> {
    if (this.#timer === undefined) {
      this.#lastMs = monotonicMs();
      this.#shared.set("loopTick", this.#lastMs);
      this.#timer = setInterval(() => {
        this.#tick();
      }, this.#intervalMs);
    }
    return Promise.resolve();
  }

  stop(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  /** Longest time the loop stood still since this was last asked. */
  takeLongestBlockMs(): number {
    const longest = this.#longestBlockMs;
    this.#longestBlockMs = 0;
    return longest;
  }

  #tick(): void {
    const nowMs = monotonicMs();
    this.#shared.set("loopTick", nowMs);
    this.#longestBlockMs = Math.max(this.#longestBlockMs, nowMs - this.#lastMs - this.#intervalMs);
    this.#lastMs = nowMs;
    this.#onTick();
  }
}

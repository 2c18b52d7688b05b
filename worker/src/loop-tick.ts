import { monotonicMs } from "./clock.ts";
import type { Service } from "./service.ts";
import type { SharedFacts } from "./watchdog/shared-facts.ts";

/** Who reads the longest block: each is told of the time since it read last itself. */
export type BlockReader = "scrape" | "otlp";

/** Shows the watchdog that the event loop turns, and runs what must be looked at on every turn. */
export class LoopTick implements Service {
  readonly #intervalMs: number;
  readonly #shared: SharedFacts;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;
  readonly #longestBlockMs: Record<BlockReader, number> = { scrape: 0, otlp: 0 };

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

  /** Longest time the loop stood still since this reader last asked. */
  takeLongestBlockMs(reader: BlockReader): number {
    const longest = this.#longestBlockMs[reader];
    this.#longestBlockMs[reader] = 0;
    return longest;
  }

  #tick(): void {
    const nowMs = monotonicMs();
    this.#shared.set("loopTick", nowMs);
    const blockMs = nowMs - this.#lastMs - this.#intervalMs;
    const longest = this.#longestBlockMs;
    if (blockMs > longest.scrape) longest.scrape = blockMs;
    if (blockMs > longest.otlp) longest.otlp = blockMs;
    this.#lastMs = nowMs;
    this.#onTick();
  }
}

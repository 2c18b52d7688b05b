import { setTimeout as sleep } from "node:timers/promises";
import { BaseService, type Log } from "@jobqueue/operator/runtime";
import type { QueueStats } from "@jobqueue/store";
import type { Seen } from "./snapshot.ts";

/** How depths are sampled. */
export interface DepthHistoryOptions {
  readonly read: () => Promise<Seen<readonly QueueStats[]>>;
  readonly log: Log;
}

/** What one queue looked like at one moment. */
export interface Depth {
  readonly at: string;
  readonly pending: number;
  readonly running: number;
  readonly oldestPendingSeconds: number | null;
}

/** Between two samples. */
export const DEPTH_STEP_SECONDS = 15;
/** An hour of samples: a thousand queues take some ten megabytes. */
const KEPT = 240;

/**
 * Depth and oldest age of every queue over the last hour, for charts. The store keeps no past depths, so this server samples them
 * from when it starts: another one, or the same after a restart, has others. A count that is late (partial) is not recorded twice.
 */
export class DepthHistory extends BaseService {
  readonly #options: DepthHistoryOptions;
  readonly #queues = new Map<string, Depth[]>();
  #lastAt = 0;

  constructor(options: DepthHistoryOptions) {
    super("depth history");
    this.#options = options;
  }

  /** The samples of a queue, or of all, the oldest first. */
  of(queue?: string): readonly { readonly queue: string; readonly points: readonly Depth[] }[] {
    return [...this.#queues]
      .filter(([name]) => queue === undefined || name === queue)
      .map(([name, points]) => ({ queue: name, points }));
  }

  /** Takes one sample; one that is no newer than the last is dropped. */
  record({ value, at }: Seen<readonly QueueStats[]>): void {
    if (at.getTime() <= this.#lastAt) return;
    this.#lastAt = at.getTime();
    const known = new Set(value.map(({ queue }) => queue));
    for (const queue of this.#queues.keys()) if (!known.has(queue)) this.#queues.delete(queue);
    for (const { queue, pending, running, oldestPendingSeconds } of value) {
      const points = this.#queues.get(queue) ?? [];
      points.push({ at: at.toISOString(), pending, running, oldestPendingSeconds });
      if (points.length > KEPT) points.shift();
      this.#queues.set(queue, points);
    }
  }

  protected override onStart(): void {
    this.run(async (stopping) => this.#loop(stopping));
  }

  async #loop(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      try {
        this.record(await this.#options.read());
      } catch (error) {
        // A gap in the chart is what an outage looks like.
        this.#options.log.debug({ err: error }, "the depth of queues could not be sampled");
      }
      await sleep(DEPTH_STEP_SECONDS * 1000, undefined, { signal: stopping }).catch(() => {});
    }
  }
}

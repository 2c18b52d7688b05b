import { recoverStale, type Session } from "@jobqueue/store";
import type { Log } from "./log.ts";
import type { WorkerMetrics } from "./metrics.ts";
import { pause } from "./pause.ts";
import type { Service } from "./service.ts";
import type { StoreTrouble } from "./store-trouble.ts";

/** What the sweep works with. */
export interface SweepParts {
  readonly session: Session;
  /** Longest time between two sweeps, milliseconds; each wait is between half of it and all of it. */
  readonly intervalMs: number;
  /** Who asks, for the audit trail. */
  readonly actor: string;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
}

/** Most jobs that one sweep recovers: after the loss of many workers the load returns in steps. */
const SWEEP_LIMIT = 100;

/**
 * Recovers jobs of workers that are no more. Every worker does it, so nothing else need run (G8); the store moves each
 * job once however many sweep.
 */
export class Sweep implements Service {
  readonly #parts: SweepParts;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  start(): Promise<void> {
    this.#loop ??= this.#run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { intervalMs } = this.#parts;
    // The first comes soon: whoever starts may be replacing a worker that was lost.
    let waitMs = Math.random() * Math.min(intervalMs, 2_000);
    while (await pause(waitMs, this.#stopping.signal)) {
      // A full sweep leaves more behind it.
      waitMs = (await this.#sweep()) === SWEEP_LIMIT ? 100 : intervalMs * (0.5 + 0.5 * Math.random());
    }
  }

  async #sweep(): Promise<number> {
    const { session, actor, log, metrics, trouble } = this.#parts;
    try {
      const recovered = await recoverStale(session, { max: SWEEP_LIMIT, actor, reason: "its worker's lease lapsed" });
      trouble.worked("sweep");
      for (const { outcome } of recovered) metrics.count("jobqueue_worker_jobs_recovered_total", { outcome });
      if (recovered.length > 0) {
        log.warn(
          { count: recovered.length, jobs: recovered.slice(0, 20) },
          "recovered stale jobs of workers that are no more",
        );
      }
      return recovered.length;
    } catch (error) {
      trouble.failed("sweep", error);
      return 0;
    }
  }
}

import { recoverStale, releaseDeferred, type Session } from "@jobqueue/store";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Chore } from "./periodic.ts";

/** What recovery works with. */
export interface RecoveryParts {
  readonly session: Session;
  readonly intervalMs: number;
  /**
   * Whether this worker trusts its own lease. One that does not judges nobody: after a stop of the whole process it would
   * recover its own jobs before it has sent what they came to.
   */
  readonly isTrusted: () => boolean;
  /** Who asks, for the audit trail. */
  readonly actor: string;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
}

/** Most jobs that one sweep recovers: after the loss of many workers the load returns in steps. */
const SWEEP_LIMIT = 100;

/**
 * Recovers jobs of workers that are no more, and settles jobs whose dependencies ended unseen. Every worker does it, so
 * nothing else need run (G8); the store moves each job once however many sweep.
 */
export function recovery({ session, intervalMs, isTrusted, actor, log, metrics }: RecoveryParts): Chore {
  return {
    name: "sweep",
    intervalMs,
    async run() {
      if (!isTrusted()) return false;
      const recovered = await recoverStale(session, { max: SWEEP_LIMIT, actor, reason: "its worker's lease lapsed" });
      for (const { outcome } of recovered) metrics.count("jobqueue_worker_jobs_recovered_total", { outcome });
      if (recovered.length > 0) {
        log.warn(
          { count: recovered.length, jobs: recovered.slice(0, 20) },
          "recovered stale jobs of workers that are no more",
        );
      }
      const released = await releaseDeferred(session);
      if (released > 0) log.info({ count: released }, "settled jobs whose dependencies had ended unseen");
      return recovered.length >= SWEEP_LIMIT;
    },
  };
}

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
  /** This worker, in words, for the audit trail. */
  readonly name: string;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
}

/** Most jobs that one sweep recovers: after the loss of many workers the load returns in steps. */
const SWEEP_LIMIT = 100;

/**
 * Recovers jobs of workers that are no more, and settles jobs whose dependencies ended unseen. Every worker does it, so
 * nothing else need run (G8); the store moves each job once however many sweep.
 */
export function recovery({ session, intervalMs, isTrusted, name, log, metrics }: RecoveryParts): Chore {
  return {
    name: "sweep",
    intervalMs,
    async run() {
      if (!isTrusted()) return false;
      // No actor: the store takes it for a sweep, to which its settings apply (who recovers, and after which grace).
      const reason = `its worker's lease lapsed; seen by ${name}`;
      const recovered = await recoverStale(session, { max: SWEEP_LIMIT, reason });
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

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** What becomes of a job whose worker was lost: run again, dead, or held until somebody decides. */
export type LossPolicy = "retry" | "fail" | "hold";

/** Which stale jobs to recover, how, and who asks. */
export interface RecoveryRequest {
  /** At most this many jobs; 1000 when absent. */
  readonly max?: number | undefined;
  /** Only jobs held by these workers; all stale jobs when absent. */
  readonly workers?: readonly string[] | undefined;
  /** Only jobs of this queue. */
  readonly queue?: string | undefined;
  /** Only jobs that were claimed at least so many seconds ago. */
  readonly olderThanSeconds?: number | undefined;
  /** In place of what job or queue say. */
  readonly policy?: LossPolicy | undefined;
  /** Only when the lease of their worker lapsed at least so many seconds ago; a sweep does what the store's settings say. */
  readonly graceSeconds?: number | undefined;
  /** Only say what would be done. */
  readonly dryRun?: boolean | undefined;
  /** Who asks, for the audit event; `sweep` when absent. */
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** A job that was taken from a worker that is no more, or, in a dry run, that would be. */
export interface RecoveredJob {
  readonly id: string;
  /**
   * `retried`: pending again, no attempt spent; `dead`: it lost too many workers (poison); `failed`, `held`: by policy;
   * `cancelled`: somebody had cancelled it while it ran.
   */
  readonly outcome: "retried" | "dead" | "failed" | "held" | "cancelled";
  readonly queue: string;
  /** The worker that held it. */
  readonly workerId: string;
}

/**
 * Recovers stale jobs: running, and the worker's lease lapsed, or the worker is gone, fenced or missing, or the job's
 * deadline passed. Safe to call from everywhere at once: each job moves once, and no lost worker changes it any more (G5).
 */
export async function recoverStale(session: Session, request: RecoveryRequest = {}): Promise<RecoveredJob[]> {
  return session.query<RecoveredJob>(
    `select id, outcome, queue, worker_id as "workerId"
     from ${quoteIdentifier(session.schema)}.recover_stale($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      request.max ?? 1000,
      request.workers ?? null,
      request.actor ?? "sweep",
      request.reason ?? null,
      request.queue ?? null,
      request.olderThanSeconds ?? 0,
      request.policy ?? null,
      request.dryRun ?? false,
      request.graceSeconds ?? null,
    ],
  );
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** Which stale jobs to recover, and who asks. */
export interface RecoveryRequest {
  /** At most this many jobs; 1000 when absent. */
  readonly max?: number;
  /** Only jobs held by these workers; all stale jobs when absent. */
  readonly workers?: readonly string[];
  /** Who asks, for the audit event; `sweep` when absent. */
  readonly actor?: string;
  readonly reason?: string;
}

/** A job that was taken from a worker that is no more: pending again, or dead because it lost too many. */
export interface RecoveredJob {
  readonly id: string;
  readonly outcome: "retried" | "dead";
}

/**
 * Recovers running jobs whose worker's lease lapsed, or whose worker is gone, fenced or missing. Safe to call from
 * everywhere at once: each job moves once. Spends no attempt; the third loss of a job makes it dead (`poison`).
 */
export async function recoverStale(session: Session, request: RecoveryRequest = {}): Promise<RecoveredJob[]> {
  return session.query<RecoveredJob>(
    `select id, outcome from ${quoteIdentifier(session.schema)}.recover_stale($1, $2, $3, $4)`,
    [request.max ?? 1000, request.workers ?? null, request.actor ?? "sweep", request.reason ?? null],
  );
}

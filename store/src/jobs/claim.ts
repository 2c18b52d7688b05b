import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A job that this worker now holds the lease of. */
export interface ClaimedJob {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Which attempt this is, from 1. Not a fence: it repeats after a recovery. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Fences every later write for this job; never reused. */
  readonly leaseToken: string;
  /** Milliseconds this attempt may take, when the job has a limit. */
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly runAt: Date;
  readonly tag: string | null;
  readonly labels: Readonly<Record<string, string>> | null;
}

/** Who claims, from where, and how much. */
export interface ClaimRequest {
  readonly workerId: string;
  /** Served strictly in this order. Queues that do not exist, or are held, give nothing. */
  readonly queues: readonly string[];
  /** At most this many jobs; 1 to 10000. */
  readonly max: number;
}

interface Row {
  id: string;
  queue: string;
  kind: string;
  payload: unknown;
  attempt: number;
  max_attempts: number;
  lease_token: string;
  timeout_ms: number | null;
  priority: number;
  run_at: Date;
  tag: string | null;
  labels: Record<string, string> | null;
}

/**
 * Claims jobs for a worker: queue by queue in the order given, within a queue by priority, run_at, id (G12). Rejects
 * with `lease_lapsed` when the worker must register again; a draining worker gets nothing.
 */
export async function claim(session: Session, request: ClaimRequest): Promise<ClaimedJob[]> {
  const rows = await session.query<Row>(
    `select id, queue, kind, payload, attempt, max_attempts, lease_token, timeout_ms, priority, run_at, tag, labels
     from ${quoteIdentifier(session.schema)}.claim($1, $2, $3)`,
    [request.workerId, request.queues, request.max],
  );
  return rows.map((row) => ({
    id: row.id,
    queue: row.queue,
    kind: row.kind,
    payload: row.payload,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    leaseToken: row.lease_token,
    timeoutMs: row.timeout_ms,
    priority: row.priority,
    runAt: row.run_at,
    tag: row.tag,
    labels: row.labels,
  }));
}

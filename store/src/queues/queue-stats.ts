import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** Counts of one queue. A job whose time has come is pending, whether or not a claim has noticed yet. */
export interface QueueStats {
  readonly queue: string;
  readonly pending: number;
  readonly scheduled: number;
  readonly running: number;
  readonly failed: number;
  readonly dead: number;
  /** Of the running ones, those that no live worker backs. */
  readonly stale: number;
  /** How long the oldest pending job has been claimable; null when none is. */
  readonly oldestPendingSeconds: number | null;
  /** Since when the oldest pending job has been claimable; null when none is. */
  readonly oldestPendingSince: Date | null;
  readonly deferred: number;
  /** As long as they are kept. */
  readonly cancelled: number;
  /** Most jobs that run at once; null: no limit. So is `maxRunningPerKey`, for each concurrency key. */
  readonly maxRunning: number | null;
  readonly maxRunningPerKey: number | null;
  /** Concurrency keys take turns. */
  readonly fair: boolean;
  /** Most starts per time; null: no limit. */
  readonly rate: { readonly count: number; readonly perSeconds: number } | null;
}

/** Counts of every queue of the store, by name, from one statement and hence one instant. */
export async function queueStats(session: Session): Promise<QueueStats[]> {
  return session.query<QueueStats>(
    `select queue, pending::float8 as pending, scheduled::float8 as scheduled, running::float8 as running,
       failed::float8 as failed, dead::float8 as dead, stale::float8 as stale,
       oldest_pending_seconds as "oldestPendingSeconds", oldest_pending_since as "oldestPendingSince",
       deferred::float8 as deferred, cancelled::float8 as cancelled, max_running as "maxRunning",
       max_running_per_key as "maxRunningPerKey", fair,
       case when rate_count is not null
         then jsonb_build_object('count', rate_count, 'perSeconds', rate_period_ms / 1000.0) end as rate
     from ${quoteIdentifier(session.schema)}.queue_stats() order by queue`,
  );
}

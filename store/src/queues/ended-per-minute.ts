import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** What ended in one queue within one minute. */
export interface EndedMinute {
  readonly queue: string;
  /** Begin of the minute. */
  readonly minute: Date;
  readonly completed: number;
  readonly dead: number;
  readonly cancelled: number;
  /** Median of how long handlers took in the attempt that completed, milliseconds; null when none completed. */
  readonly p50Ms: number | null;
  /** 95 of 100 took no longer, milliseconds; null when none completed. */
  readonly p95Ms: number | null;
}

/**
 * What ended in the last so many minutes, by queue and minute; minutes in which nothing ended are absent. It reads the history of
 * the day: seconds where millions end in one, so whoever asks often asks through a cache.
 */
export async function endedPerMinute(session: Session, minutes: number): Promise<EndedMinute[]> {
  return session.query<EndedMinute>(
    `select queue, date_trunc('minute', finished_at) as minute,
       (count(*) filter (where state = 'completed'))::float8 as completed,
       (count(*) filter (where state = 'dead'))::float8 as dead,
       (count(*) filter (where state = 'cancelled'))::float8 as cancelled,
       percentile_cont(0.5) within group (order by duration_ms) filter (where state = 'completed') as "p50Ms",
       percentile_cont(0.95) within group (order by duration_ms) filter (where state = 'completed') as "p95Ms"
     from ${quoteIdentifier(session.schema)}.v_jobs
     where is_terminal and finished_at >= date_trunc('minute', statement_timestamp()) - make_interval(mins => $1::int)
     group by 1, 2 order by 1, 2`,
    [minutes],
  );
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { MissedTicks } from "./plan-ticks.ts";

/** A schedule as it stands in the store. */
export interface Schedule {
  readonly name: string;
  readonly queue: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Options of its jobs, in the words of SQL. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly cron: string;
  readonly timeZone: string;
  readonly missedTicks: MissedTicks;
  readonly maxMissed: number;
  readonly paused: boolean;
  /** Who keeps it as it is; null: people. */
  readonly owner: string | null;
  readonly nextAt: Date | null;
}

/** Lists the schedules by name: all, or those whose jobs go into one queue. */
export async function listSchedules(session: Session, queue?: string): Promise<Schedule[]> {
  return session.query<Schedule>(
    `select name, queue, kind, payload, options, cron, time_zone as "timeZone", missed_ticks as "missedTicks",
       max_missed as "maxMissed", paused, owner, next_at as "nextAt"
     from ${quoteIdentifier(session.schema)}.v_schedules where $1::text is null or queue = $1 order by name`,
    [queue ?? null],
  );
}

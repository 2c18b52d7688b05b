import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { MissedTicks } from "./plan-ticks.ts";

/** What became of a tick: a job, a job that was there already under the key of the tick, or nothing, by policy. */
export type TickOutcome = "fired" | "duplicate" | "skipped";

/** A schedule as it is now. */
export interface Schedule {
  readonly name: string;
  readonly queue: string;
  readonly kind: string;
  readonly payload: unknown;
  /** As for the SQL function enqueue. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly cron: string;
  readonly timeZone: string;
  readonly missedTicks: MissedTicks;
  readonly maxMissed: number;
  readonly paused: boolean;
  /** Its next tick; null when there is none. */
  readonly nextAt: Date | null;
  /** Its latest tick that fired or was skipped. */
  readonly lastTick: Date | null;
  readonly lastOutcome: TickOutcome | null;
  readonly lastJobId: string | null;
  readonly createdAt: Date;
}

/** A tick of a schedule that is over. */
export interface ScheduleTick {
  readonly tick: Date;
  readonly outcome: TickOutcome;
  readonly jobId: string | null;
  /** When that was decided. */
  readonly at: Date;
}

const COLUMNS = `name, queue, kind, payload, options, cron, time_zone as "timeZone", missed_ticks as "missedTicks",
  max_missed as "maxMissed", paused, next_at as "nextAt", last_tick as "lastTick", last_outcome as "lastOutcome",
  last_job_id as "lastJobId", created_at as "createdAt"`;

/** Lists schedules by name. */
export async function listSchedules(session: Session): Promise<Schedule[]> {
  return session.query<Schedule>(`select ${COLUMNS} from ${quoteIdentifier(session.schema)}.v_schedules order by name`);
}

/** Finds a schedule. */
export async function getSchedule(session: Session, name: string): Promise<Schedule | undefined> {
  const [found] = await session.query<Schedule>(
    `select ${COLUMNS} from ${quoteIdentifier(session.schema)}.v_schedules where name = $1`,
    [name],
  );
  return found;
}

/** What became of the latest ticks of a schedule, the latest first; they are kept for 30 days. */
export async function listTicks(session: Session, name: string, limit = 10): Promise<ScheduleTick[]> {
  return session.query<ScheduleTick>(
    `select tick, outcome, job_id as "jobId", at from ${quoteIdentifier(session.schema)}.v_schedule_ticks
     where schedule = $1 order by tick desc limit $2`,
    [name, limit],
  );
}

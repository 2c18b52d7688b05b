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
  /** Null also when it was not asked for. */
  readonly payload: unknown;
  /** As for the SQL function enqueue; null when they were not asked for. */
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly cron: string;
  readonly timeZone: string;
  readonly missedTicks: MissedTicks;
  readonly maxMissed: number;
  readonly paused: boolean;
  /** Who keeps it as it is; null: people. */
  readonly owner: string | null;
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

/** Columns of v_schedules that everybody who may look at schedules may read; what jobs carry needs a right of its own. */
const COLUMNS = `name, queue, kind, cron, time_zone as "timeZone", missed_ticks as "missedTicks",
  max_missed as "maxMissed", paused, owner, next_at as "nextAt", last_tick as "lastTick", last_outcome as "lastOutcome",
  last_job_id as "lastJobId", created_at as "createdAt"`;

/**
 * Lists schedules by name: all, or those whose jobs go into one queue. `payloads: false` leaves out payload and options,
 * as a reader without the right to them must.
 */
export async function listSchedules(
  session: Session,
  { payloads, queue }: { readonly payloads?: boolean; readonly queue?: string } = {},
): Promise<Schedule[]> {
  return session.query<Schedule>(
    `select ${columns(payloads)} from ${quoteIdentifier(session.schema)}.v_schedules
     where $1::text is null or queue = $1 order by name`,
    [queue ?? null],
  );
}

/** Finds a schedule. `payloads: false` leaves out payload and options. */
export async function getSchedule(
  session: Session,
  name: string,
  { payloads }: { readonly payloads?: boolean } = {},
): Promise<Schedule | undefined> {
  const [found] = await session.query<Schedule>(
    `select ${columns(payloads)} from ${quoteIdentifier(session.schema)}.v_schedules where name = $1`,
    [name],
  );
  return found;
}

function columns(payloads = true): string {
  return payloads ? `${COLUMNS}, payload, options` : `${COLUMNS}, null as payload, null as options`;
}

/** What became of the latest ticks of a schedule, the latest first; they are kept for 30 days. */
export async function listTicks(session: Session, name: string, limit = 10): Promise<ScheduleTick[]> {
  return session.query<ScheduleTick>(
    `select tick, outcome, job_id as "jobId", at from ${quoteIdentifier(session.schema)}.schedule_ticks
     where schedule = $1 order by tick desc limit $2`,
    [name, limit],
  );
}

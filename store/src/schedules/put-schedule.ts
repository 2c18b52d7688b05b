import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import { jobOptions, type NewJob } from "../jobs/enqueue.ts";
import { toJsonText } from "../jobs/json-value.ts";
import type { Session } from "../session.ts";
import { nextTicks } from "./next-ticks.ts";
import type { MissedTicks } from "./plan-ticks.ts";

/** Jobs that are enqueued at given times; in place of a unique key of its own each has that of its tick. */
export interface NewSchedule extends Omit<
  NewJob,
  "uniqueKey" | "uniqueMode" | "uniqueForSeconds" | "runAt" | "dependsOn"
> {
  /** Lower-case letters, digits, `.`, `_`, `/` and `-`. */
  readonly name: string;
  /** Five fields, or six with seconds first; see `nextTicks` for what happens when clocks are changed. */
  readonly cron: string;
  /** A name such as Europe/Berlin; UTC when absent. */
  readonly timeZone?: string | undefined;
  /** What becomes of ticks that are more than a minute late; `once` when absent. */
  readonly missedTicks?: MissedTicks | undefined;
  /** With `all`, at most so many of the missed ticks; 100 when absent. */
  readonly maxMissed?: number | undefined;
  /** Who keeps it as it is, when that is a program; people's have none. */
  readonly owner?: string | undefined;
}

/**
 * Makes a schedule, or changes it to exactly this. Returns whether anything changed; only then is anything written, with
 * one audit event (G19). Rejects with `invalid_input` that names the field of the cron expression.
 */
export async function putSchedule(session: Session, schedule: NewSchedule, act: Act): Promise<boolean> {
  const { name, cron, timeZone = "UTC", missedTicks, maxMissed, owner, queue, kind, payload, ...job } = schedule;
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.put_schedule($1, $2::jsonb, $3, $4, $5) as changed`,
    [
      name,
      toJsonText(
        {
          queue,
          kind,
          cron,
          payload: payload === undefined ? {} : payload,
          options: jobOptions(job) ?? {},
          time_zone: timeZone,
          missed_ticks: missedTicks,
          max_missed: maxMissed,
          owner,
        },
        "schedule",
      ),
      await firstTick(session, cron, timeZone),
      act.actor,
      act.reason,
    ],
  );
  return rows[0]?.changed ?? false;
}

/** Deletes a schedule; jobs that it enqueued stay. Returns whether it was there. */
export async function deleteSchedule(session: Session, name: string, act: Act): Promise<boolean> {
  const rows = await session.query<{ deleted: boolean }>(
    `select ${quoteIdentifier(session.schema)}.delete_schedule($1, $2, $3) as deleted`,
    [name, act.actor, act.reason],
  );
  return rows[0]?.deleted ?? false;
}

/**
 * Pauses a schedule, or resumes it: with its first tick from now on, because what would have been due while it was paused
 * is no tick. Returns whether anything changed.
 */
export async function pauseSchedule(session: Session, name: string, paused: boolean, act: Act): Promise<boolean> {
  const schema = quoteIdentifier(session.schema);
  const [found] = await session.query<{ cron: string; time_zone: string }>(
    `select cron, time_zone from ${schema}.v_schedules where name = $1`,
    [name],
  );
  if (found === undefined) return false;
  const nextAt = paused ? null : await firstTick(session, found.cron, found.time_zone);
  const rows = await session.query<{ changed: boolean }>(
    `select ${schema}.pause_schedule($1, $2, $3, $4, $5) as changed`,
    [name, paused, act.actor, act.reason, nextAt],
  );
  return rows[0]?.changed ?? false;
}

/**
 * Enqueues the job of a schedule now, beside its ticks and also while it is paused. Returns the id of the job; undefined when there is no
 * such schedule.
 */
export async function triggerSchedule(session: Session, name: string, act: Act): Promise<string | undefined> {
  const rows = await session.query<{ job: string | null }>(
    `select ${quoteIdentifier(session.schema)}.trigger_schedule($1, $2, $3) as job`,
    [name, act.actor, act.reason],
  );
  return rows[0]?.job ?? undefined;
}

/** The first tick after now, by the database's clock: no other decides anything (G10). */
async function firstTick(session: Session, cron: string, timeZone: string): Promise<Date | null> {
  const [row] = await session.query<{ now: Date }>("select clock_timestamp() as now");
  if (row === undefined) throw new TypeError("the server gave no time");
  return nextTicks(cron, timeZone, row.now, 1)[0] ?? null;
}

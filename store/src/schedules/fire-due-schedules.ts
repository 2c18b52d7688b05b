import { quoteIdentifier } from "../connection/identifier.ts";
import { StoreError } from "../errors.ts";
import type { Session } from "../session.ts";
import { type MissedTicks, planTicks } from "./plan-ticks.ts";

/** What was done about the due ticks of one schedule. */
export interface FiredSchedule {
  readonly name: string;
  /** Ticks that became jobs. */
  readonly fired: number;
  /** Ticks that were missed, and that its policy leaves out. */
  readonly skipped: number;
  /** Why nothing could be done: its cron, its options or its payload are refused. Other schedules go on. */
  readonly error?: string;
}

interface DueRow {
  name: string;
  cron: string;
  time_zone: string;
  missed_ticks: MissedTicks;
  max_missed: number;
  next_at: Date;
  now: Date;
}

/** How schedules are fired. */
export interface FiringOptions {
  /** Most schedules; 100 when absent. */
  readonly max?: number;
  /** Carries out each write, on a session of its choice; on the session of the call when absent. */
  readonly write?: <Result>(work: (session: Session) => Promise<Result>) => Promise<Result>;
}

/** Most plans for one schedule in one call: a long absence is worked off over several. */
const MAX_PLANS = 10;

/**
 * Fires the ticks that are due, each exactly once whoever else does the same at the same time
 * (G14): a tick is fired, or recorded as skipped, by the one transaction that moves the schedule on. Call it every few
 * seconds from wherever you like. Rejects when the database cannot be asked.
 */
export async function fireDueSchedules(session: Session, options: FiringOptions = {}): Promise<FiredSchedule[]> {
  const { max = 100, write = (work) => work(session) } = options;
  const schema = quoteIdentifier(session.schema);
  const due = await session.query<DueRow>(`select * from ${schema}.due_schedules($1)`, [max]);
  const fired: FiredSchedule[] = [];
  for (const row of due) {
    try {
      const counts = await fireOne(write, schema, row);
      if (counts.fired + counts.skipped > 0) fired.push({ name: row.name, ...counts });
    } catch (error) {
      // One that cannot be fired must not keep the others from it; what concerns the connection concerns all.
      if (!(error instanceof StoreError) || error.code !== "invalid_input") throw error;
      fired.push({ name: row.name, fired: 0, skipped: 0, error: error.message });
    }
  }
  return fired;
}

async function fireOne(
  write: NonNullable<FiringOptions["write"]>,
  schema: string,
  row: DueRow,
): Promise<{ fired: number; skipped: number }> {
  const done = { fired: 0, skipped: 0 };
  let nextAt: Date | null = row.next_at;
  for (let plans = 0; nextAt !== null && plans < MAX_PLANS; plans += 1) {
    const plan = planTicks(
      {
        cron: row.cron,
        timeZone: row.time_zone,
        missedTicks: row.missed_ticks,
        maxMissed: row.max_missed,
        nextAt,
      },
      row.now,
    );
    const values = [row.name, nextAt, plan.fire, plan.skip, plan.nextAt];
    const [answer] = await write((session) =>
      session.query<{ done: boolean }>(`select ${schema}.fire_schedule($1, $2, $3, $4, $5) as done`, values),
    );
    if (answer?.done !== true) return done;
    done.fired += plan.fire.length;
    done.skipped += plan.skip.length;
    if (!plan.more) return done;
    nextAt = plan.nextAt;
  }
  return done;
}

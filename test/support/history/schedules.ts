import { quoteIdentifier, type Session } from "@jobqueue/store";
import type { CheckedSchedule, Transition } from "./history.ts";

/** A schedule that fires evenly, and the time in which it did. */
export interface EvenSchedule {
  readonly name: string;
  /** Milliseconds between two ticks, which are whole multiples of it since 1970. */
  readonly everyMs: number;
  /** Its first tick, and when it was taken away. */
  readonly from: number;
  readonly to: number;
  /** How much later than its tick a job may be there. */
  readonly latenessMs: number;
}

/** What a schedule had to do, what it says it skipped, and, from the ledger, the jobs it made. */
export async function checkedSchedule(
  session: Session,
  { name, everyMs, from, to, latenessMs }: EvenSchedule,
  transitions: readonly Transition[],
): Promise<CheckedSchedule> {
  const prefix = `schedule/${name}/`;
  const fired = transitions.flatMap(({ before, after, job, at }) =>
    before === null && after?.generation === 1 && after.uniqueKey?.startsWith(prefix) === true
      ? [{ job, at, tick: Date.parse(after.uniqueKey.slice(prefix.length)) }]
      : [],
  );
  const rows = await session.query<{ at: number }>(
    `select extract(epoch from tick)::float8 * 1000 as at from ${quoteIdentifier(session.schema)}.schedule_ticks
     where schedule = $1 and outcome = 'skipped'`,
    [name],
  );
  // The last ones may have been due and not fired yet when it was taken away.
  const last = Math.max(to - latenessMs, ...fired.map(({ tick }) => tick));
  const ticks: number[] = [];
  for (let tick = Math.ceil(from / everyMs) * everyMs; tick <= last; tick += everyMs) ticks.push(tick);
  return { name, ticks, skipped: rows.map(({ at }) => at), fired, latenessMs };
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Act } from "../jobs/act-on-job.ts";
import type { Session } from "../session.ts";

/** What the jobs of a schedule carry. */
export interface RevealedSchedule {
  readonly name: string;
  readonly payload: unknown;
  /** As for the SQL function enqueue. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What the jobs of at most 1000 schedules carry, with one audit event that says who saw which (G19). */
export async function revealSchedules(
  session: Session,
  names: readonly string[],
  act: Act,
): Promise<RevealedSchedule[]> {
  return session.query<RevealedSchedule>(
    `select name, payload, options from ${quoteIdentifier(session.schema)}.reveal_schedules($1, $2, $3)`,
    [names, act.actor, act.reason],
  );
}

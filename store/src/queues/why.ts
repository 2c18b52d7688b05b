import { quoteIdentifier } from "../connection/identifier.ts";
import { checkedId } from "../jobs/read-jobs.ts";
import type { Session } from "../session.ts";

/** A fact that stands in the way. */
export interface Reason {
  /** The lower, the more important. */
  readonly rank: number;
  /** One of a closed set, for programs; the comments of the SQL functions list them. */
  readonly code: string;
  /** What it is and what to do about it, for people. */
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Why jobs of a queue do not start, most important first; one reason `nothing` when nothing stands in the way. */
export async function whyQueue(session: Session, queue: string): Promise<Reason[]> {
  return session.query<Reason>(
    `select rank, code, message, detail from ${quoteIdentifier(session.schema)}.why_queue($1) order by rank`,
    [queue],
  );
}

/** Why a job does not run, most important first. */
export async function whyJob(session: Session, id: string): Promise<Reason[]> {
  return session.query<Reason>(
    `select rank, code, message, detail from ${quoteIdentifier(session.schema)}.why_job($1) order by rank`,
    [checkedId(id)],
  );
}

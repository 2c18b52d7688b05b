import { quoteIdentifier } from "../connection/identifier.ts";
import type { JobState } from "../job-state.ts";
import type { Session } from "../session.ts";
import { checkedId } from "./read-jobs.ts";

/** Who does something to jobs, and why: both go into the audit event that is written with it. */
export interface Act {
  readonly actor: string;
  readonly reason: string;
}

/** What became of a retry: `duplicate` when another live job has its unique key; else the state that forbids it. */
export type RetryOutcome = "retried" | "not_found" | "duplicate" | JobState;
/** What became of a cancel: `requested` when it runs and its worker must answer; else the state that forbids it. */
export type CancelOutcome = "cancelled" | "requested" | "not_found" | JobState;
/** What became of a deletion, or the state that forbids it. */
export type DeleteOutcome = "deleted" | "not_found" | JobState;

/**
 * Runs a job again that failed, is dead, or was held by recovery: a new generation, pending at once, with all attempts
 * before it (G6). Its last error is kept. Writes an audit event when it was retried (G19).
 */
export async function retryJob(session: Session, id: string, act: Act): Promise<RetryOutcome> {
  return actOnJob<RetryOutcome>(session, "retry_job", id, act);
}

/** Cancels a job: at once, or by a request to the worker that runs it. Writes an audit event when anything changed (G19). */
export async function cancelJob(session: Session, id: string, act: Act): Promise<CancelOutcome> {
  return actOnJob<CancelOutcome>(session, "cancel_job", id, act);
}

/** Deletes a job that does not run and has not ended. Writes an audit event when it was deleted (G19). */
export async function deleteJob(session: Session, id: string, act: Act): Promise<DeleteOutcome> {
  return actOnJob<DeleteOutcome>(session, "delete_job", id, act);
}

async function actOnJob<Outcome>(session: Session, act: string, id: string, words: Act): Promise<Outcome> {
  const rows = await session.query<{ outcome: Outcome }>(
    `select ${quoteIdentifier(session.schema)}.${act}($1, $2, $3) as outcome`,
    [checkedId(id), words.actor, words.reason],
  );
  const row = rows[0];
  if (row === undefined) throw new TypeError(`${act} gave no answer`);
  return row.outcome;
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { JobState } from "../job-state.ts";
import type { Session } from "../session.ts";
import type { Act } from "./act-on-job.ts";
import { toJsonText } from "./json-value.ts";

/** Which jobs a bulk act means: all conditions must hold, and there must be one. */
export interface BulkFilter {
  readonly ids?: readonly string[] | undefined;
  readonly queue?: string | undefined;
  readonly kind?: string | undefined;
  readonly state?: JobState | undefined;
  readonly tag?: string | undefined;
  /** Labels that the job has, among others. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Id of the worker that runs it, or that ran it last when it is dead. */
  readonly worker?: string | undefined;
  readonly uniqueKey?: string | undefined;
  /** Seconds since it was enqueued; for a dead job since it died. */
  readonly olderThanSeconds?: number | undefined;
}

/** A bulk act: who, why, and how much of it. */
export interface BulkAct extends Act {
  /** At most this many jobs; 1 to 100000, 1000 when absent. */
  readonly max?: number | undefined;
  /** Only say what would be done. */
  readonly dryRun?: boolean | undefined;
}

/** What a bulk act did, or would do. */
export interface BulkOutcome {
  /** Jobs that the filter means and that the act can be done to, whatever `max` is. */
  readonly matched: number;
  /** Jobs that were changed; 0 in a dry run. Less than `matched` beyond `max`, and by jobs others were changing. */
  readonly changed: number;
  /** The first 100 of those that were changed, in a dry run of those that would be. */
  readonly ids: readonly string[];
}

/** Retries failed, dead and held jobs by filter; see `retryJob`. One audit event for all (G19). */
export async function retryJobs(session: Session, filter: BulkFilter, act: BulkAct): Promise<BulkOutcome> {
  return actOnJobs(session, "retry_jobs", filter, act);
}

/** Cancels jobs by filter; see `cancelJob`. One audit event for all (G19). */
export async function cancelJobs(session: Session, filter: BulkFilter, act: BulkAct): Promise<BulkOutcome> {
  return actOnJobs(session, "cancel_jobs", filter, act);
}

/** Deletes jobs by filter; see `deleteJob`. One audit event for all (G19). */
export async function deleteJobs(session: Session, filter: BulkFilter, act: BulkAct): Promise<BulkOutcome> {
  return actOnJobs(session, "delete_jobs", filter, act);
}

async function actOnJobs(session: Session, name: string, filter: BulkFilter, act: BulkAct): Promise<BulkOutcome> {
  const rows = await session.query<BulkOutcome>(
    `select matched::float8 as matched, changed::float8 as changed, ids
     from ${quoteIdentifier(session.schema)}.${name}($1::jsonb, $2, $3, $4, $5)`,
    [
      toJsonText(
        {
          ids: filter.ids,
          queue: filter.queue,
          kind: filter.kind,
          state: filter.state,
          tag: filter.tag,
          labels: filter.labels,
          worker: filter.worker,
          unique_key: filter.uniqueKey,
          older_than_seconds: filter.olderThanSeconds,
        },
        "filter",
      ),
      act.actor,
      act.reason,
      act.max ?? 1000,
      act.dryRun ?? false,
    ],
  );
  const row = rows[0];
  if (row === undefined) throw new TypeError(`${name} gave no answer`);
  return row;
}

import { quoteIdentifier } from "../connection/identifier.ts";
import { invalidInput } from "../errors.ts";
import { JOB_STATE_NAMES, type JobState } from "../job-state.ts";
import type { Session } from "../session.ts";
import { type Job, jobFromRow, type JobRow } from "./job.ts";
import { toJsonText } from "./json-value.ts";

/** Which jobs to list. */
export interface JobFilter {
  readonly queue?: string | undefined;
  readonly state?: JobState | undefined;
  readonly kind?: string | undefined;
  readonly tag?: string | undefined;
  /** Labels that the job has, among others. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Id of the worker that runs it, or that ran it last when it is over. */
  readonly worker?: string | undefined;
  readonly uniqueKey?: string | undefined;
  /** Seconds since it was enqueued; for a job that is over since it ended. */
  readonly olderThanSeconds?: number | undefined;
  /** Only running jobs that recovery will take. */
  readonly stale?: boolean | undefined;
  /** Any of these queues. */
  readonly queues?: readonly string[] | undefined;
  /** Only jobs that have not ended. */
  readonly live?: boolean | undefined;
  /** At most this many; 1 to 1000, 100 when absent. */
  readonly limit?: number;
  /** The id of the last job of the page before. */
  readonly afterId?: string;
  /** Leaves out so many, for pages by number; 0 to 100000. A page by `afterId` costs the same wherever it is, this one does not. */
  readonly offset?: number | undefined;
  /** In which order; the newest first when absent. Any other reads and sorts everything that the filter means. */
  readonly order?: JobOrder | undefined;
  /** `false`: leave out payload and result, as a reader without the right to them must. */
  readonly payloads?: boolean;
}

/** An order of jobs; those that are equal in it are in the order of their ids. */
export interface JobOrder {
  readonly by: keyof typeof ORDERS;
  readonly descending: boolean;
}

const ORDERS = { id: "id", queue: "queue", kind: "kind", running: "(state = 'running')", worker: "locked_by" } as const;

/** Columns of v_jobs that everybody who may look at jobs may read; payload and result need a right of their own. */
const COLUMNS = `id, queue, kind, state, dead_reason, priority, attempt, max_attempts, recoveries, generation, progress,
  last_error, errors, exit_code, unique_key, concurrency_key, tag, labels, worker_id, lease_token, created_at, run_at,
  claimed_at, finished_at, duration_ms, timeout_ms, result_ttl_seconds, result_expires_at, finaliser_id, cancel_requested,
  is_stale, can_retry, recovery_hint, locked_by, locked_until, last_recovery`;

/**
 * How each state is asked for: by what is stored, which the planner has statistics of and which the partial indexes are
 * about. By the name alone it would walk from the newest job down, through a million others before the first rare one.
 */
const CONDITIONS: Readonly<Record<JobState, string>> = {
  pending: "not is_terminal and (stored_state = 0 or stored_state in (2, 3) and run_at <= statement_timestamp())",
  // Nothing indexes running jobs, but the lease rows name them.
  running: "not is_terminal and stored_state = 1 and id = any(array(select job_id from {schema}.v_leased))",
  scheduled: "not is_terminal and stored_state = 2 and run_at > statement_timestamp()",
  failed: "not is_terminal and stored_state = 3 and run_at > statement_timestamp()",
  deferred: "not is_terminal and stored_state = 4",
  completed: "is_terminal and stored_state = 10",
  cancelled: "is_terminal and stored_state = 11",
  dead: "is_terminal and stored_state = 12",
};

/** Lists jobs, live and finished, the newest first, a page at a time. */
export async function listJobs(session: Session, filter: JobFilter = {}): Promise<Job[]> {
  const limit = filter.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw invalidInput(`limit is ${limit}: write 1 to 1000`);
  if (filter.state !== undefined && !JOB_STATE_NAMES.includes(filter.state)) {
    throw invalidInput(`${filter.state as string} is no state of a job: write one of ${JOB_STATE_NAMES.join(", ")}`);
  }
  const { offset = 0, order = { by: "id", descending: true } } = filter;
  if (!Number.isInteger(offset) || offset < 0 || offset > 100_000) {
    throw invalidInput(`offset is ${offset}: write 0 to 100000, or narrow the filter`);
  }
  const direction = order.descending ? "desc" : "asc";
  const sorting =
    order.by === "id" ? `id ${direction}` : `${ORDERS[order.by]} ${direction} nulls last, id ${direction}`;
  const schema = quoteIdentifier(session.schema);
  const conditions = [
    ...(filter.live ? ["not is_terminal"] : []),
    ...(filter.state === undefined ? [] : [CONDITIONS[filter.state]]),
    ...(filter.stale ? [CONDITIONS.running, "is_stale"] : []),
  ];
  const state = conditions.join(" and ").replaceAll("{schema}", schema) || "true";
  const rows = await session.query<JobRow>(
    `select ${columns(filter.payloads)} from ${schema}.v_jobs
     where ${state} and ($1::text is null or queue = $1) and ($2::text is null or kind = $2) and ($3::bigint is null or id < $3)
       and ($5::text is null or tag = $5) and ($6::jsonb is null or labels @> $6) and ($7::bigint is null or worker_id = $7)
       and ($8::text is null or unique_key = $8) and ($9::text[] is null or queue = any($9))
       and ($11::float8 is null or case when is_terminal then finished_at else created_at end <= clock_timestamp() - make_interval(secs => $11))
     order by ${sorting} limit $4 offset $10`,
    [
      filter.queue ?? null,
      filter.kind ?? null,
      checkedId(filter.afterId),
      limit,
      filter.tag ?? null,
      filter.labels === undefined ? null : toJsonText(filter.labels, "labels"),
      checkedId(filter.worker),
      filter.uniqueKey ?? null,
      filter.queues ?? null,
      offset,
      filter.olderThanSeconds ?? null,
    ],
  );
  return rows.map(jobFromRow);
}

/** Finds a job, live or finished: its current generation. `payloads: false` leaves out payload and result. */
export async function getJob(
  session: Session,
  id: string,
  { payloads }: { readonly payloads?: boolean } = {},
): Promise<Job | undefined> {
  const rows = await session.query<JobRow>(
    `select ${columns(payloads)} from ${quoteIdentifier(session.schema)}.v_jobs where id = $1`,
    [checkedId(id)],
  );
  return rows[0] && jobFromRow(rows[0]);
}

function columns(payloads = true): string {
  return payloads ? `${COLUMNS}, payload, result` : `${COLUMNS}, null as payload, null as result`;
}

/** An id as SQL takes it, or an error that says what an id is. Absent: null. */
export function checkedId(id: string | undefined): string | null {
  if (id === undefined) return null;
  // 18 digits always fit a bigint, and no store gets that far.
  if (!/^[0-9]{1,18}$/.test(id)) throw invalidInput(`${JSON.stringify(id)} is no id of a job: ids are whole numbers`);
  return id;
}

import { quoteIdentifier } from "../connection/identifier.ts";
import { invalidInput } from "../errors.ts";
import { JOB_STATE_NAMES, type JobState } from "../job-state.ts";
import type { Session } from "../session.ts";
import { type Job, jobFromRow, type JobRow } from "./job.ts";

/** Which jobs to list. */
export interface JobFilter {
  readonly queue?: string;
  readonly state?: JobState;
  readonly kind?: string;
  /** At most this many; 1 to 1000, 100 when absent. */
  readonly limit?: number;
  /** The id of the last job of the page before. */
  readonly afterId?: string;
}

/** Lists jobs, live and finished, the newest first, a page at a time. */
export async function listJobs(session: Session, filter: JobFilter = {}): Promise<Job[]> {
  const limit = filter.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw invalidInput(`limit is ${limit}: write 1 to 1000`);
  if (filter.state !== undefined && !JOB_STATE_NAMES.includes(filter.state)) {
    throw invalidInput(`${filter.state as string} is no state of a job: write one of ${JOB_STATE_NAMES.join(", ")}`);
  }
  const rows = await session.query<JobRow>(
    `select * from ${quoteIdentifier(session.schema)}.v_jobs
     where ($1::text is null or queue = $1) and ($2::text is null or state = $2) and ($3::text is null or kind = $3)
       and ($4::bigint is null or id < $4)
     order by id desc limit $5`,
    [filter.queue ?? null, filter.state ?? null, filter.kind ?? null, checkedId(filter.afterId), limit],
  );
  return rows.map(jobFromRow);
}

/** Finds a job, live or finished. */
export async function getJob(session: Session, id: string): Promise<Job | undefined> {
  const rows = await session.query<JobRow>(`select * from ${quoteIdentifier(session.schema)}.v_jobs where id = $1`, [
    checkedId(id),
  ]);
  return rows[0] && jobFromRow(rows[0]);
}

function checkedId(id: string | undefined): string | null {
  if (id === undefined) return null;
  // 18 digits always fit a bigint, and no store gets that far.
  if (!/^[0-9]{1,18}$/.test(id)) throw invalidInput(`${JSON.stringify(id)} is no id of a job: ids are whole numbers`);
  return id;
}

import { quoteIdentifier } from "../connection/identifier.ts";
import { invalidInput } from "../errors.ts";
import type { Session } from "../session.ts";

/** A run: one generation of a job, in the fields and types of the get_jobs call of Posit Connect. */
export interface Run {
  readonly id: string;
  readonly ppid: string | null;
  readonly pid: string | null;
  readonly key: string;
  readonly remote_id: string | null;
  readonly app_id: string | null;
  readonly variant_id: string | null;
  readonly bundle_id: string | null;
  readonly start_time: Date | null;
  readonly end_time: Date | null;
  readonly last_heartbeat_time: Date | null;
  readonly queued_time: Date;
  readonly queue_name: string;
  readonly tag: string;
  readonly exit_code: number | null;
  /** 0 active, 1 finished, 2 finalized. */
  readonly status: 0 | 1 | 2;
  readonly hostname: string | null;
  readonly cluster: string | null;
  readonly image: string | null;
  readonly run_as: string | null;
  /** Not of get_jobs: the job, and which of its generations. */
  readonly job_id: string;
  readonly generation: number;
}

/** Which runs to list. */
export interface RunFilter {
  /** The label app_id of its job. */
  readonly appId?: string | undefined;
  readonly key?: string | undefined;
  readonly jobId?: string | undefined;
  /** At most this many; 1 to 10000, 100 when absent. */
  readonly limit?: number | undefined;
}

/** Lists runs, the newest first: of an app, of a job, or all. */
export async function listRuns(session: Session, filter: RunFilter = {}): Promise<Run[]> {
  const limit = filter.limit ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw invalidInput(`limit is ${limit}: write 1 to 10000`);
  return session.query<Run>(
    `select id, ppid, pid, key, remote_id, app_id, variant_id, bundle_id, start_time, end_time, last_heartbeat_time, queued_time,
       queue_name, tag, exit_code, status, hostname, cluster, image, run_as, job_id, generation
     from ${quoteIdentifier(session.schema)}.v_runs
     where ($1::text is null or app_id = $1) and ($2::text is null or key = $2) and ($3::bigint is null or job_id = $3)
     order by job_id desc, generation desc limit $4`,
    [filter.appId ?? null, filter.key ?? null, filter.jobId ?? null, limit],
  );
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** The running jobs of one queue on one host. */
export interface ActiveJobs {
  readonly queue: string;
  /** The node of their workers, outside a cluster the host; empty where the worker did not say. */
  readonly hostname: string;
  readonly jobs: number;
  /** How long the one that was claimed first has been running, by the database's clock. */
  readonly longestSeconds: number;
}

/**
 * What runs where, by queue and host. The way goes through the leases, so that it costs as much as jobs are running, however many
 * wait. Needs the right of a reader.
 */
export async function activeJobs(session: Session): Promise<ActiveJobs[]> {
  const schema = quoteIdentifier(session.schema);
  return session.query<ActiveJobs>(
    `select j.queue, coalesce(w.node, w.hostname, '') as hostname, count(*)::float8 as jobs,
       greatest(0, max(extract(epoch from clock_timestamp() - j.claimed_at)))::float8 as "longestSeconds"
     from ${schema}.v_leased l
     join ${schema}.v_jobs j on j.id = l.job_id and j.lease_token = l.lease_token and j.stored_state = 1 and not j.is_terminal
     join ${schema}.v_workers w on w.id = l.worker_id
     group by 1, 2 order by 1, 2`,
  );
}

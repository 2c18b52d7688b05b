import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** The exact pair that names a lease. */
export interface LeasedJob {
  readonly id: string;
  readonly leaseToken: string;
}

/**
 * Gives jobs back that were claimed but not started, or that a drain cut short: pending at once, no attempt spent.
 * Returns the ids whose lease was lost, normally none.
 */
export async function returnUnstarted(session: Session, jobs: readonly LeasedJob[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const rows = await session.query<{ lost: string[] }>(
    `select ${quoteIdentifier(session.schema)}.return_unstarted($1, $2) as lost`,
    [jobs.map((job) => job.id), jobs.map((job) => job.leaseToken)],
  );
  return rows[0]?.lost ?? [];
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { JobState } from "../job-state.ts";
import type { Session } from "../session.ts";

/** How many jobs of one queue and kind are in one state. */
export interface JobCount {
  readonly queue: string;
  readonly kind: string;
  readonly state: JobState;
  readonly jobs: number;
}

/**
 * Counts every job, those that ended included as long as they are kept. It reads them all, which takes seconds where there
 * are tens of millions: for a look from time to time. `queueStats` is the quick one.
 */
export async function jobCounts(session: Session): Promise<JobCount[]> {
  return session.query<JobCount>(
    `select queue, kind, state, jobs::float8 as jobs from ${quoteIdentifier(session.schema)}.job_counts()`,
  );
}

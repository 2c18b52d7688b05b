import type { Session } from "../session.ts";
import { endAttempts, type LeasedJob, plainPerJob, storedDuration } from "./leases.ts";

/** Characters of an error that are kept. */
const MAX_ERROR_LENGTH = 8_192;

/** A job whose handler failed. */
export interface FailedJob extends LeasedJob {
  /** What went wrong, for people; the first 8192 characters are kept. */
  readonly error: string;
  /** Milliseconds the handler took. */
  readonly durationMs?: number | undefined;
  /** With which code the process ended, when an executable ran the job. */
  readonly exitCode?: number | undefined;
  /** Another attempt would fail as well: the job is dead at once, whatever attempts are left. */
  readonly permanent?: boolean;
}

/**
 * Records failed attempts: the job waits for its next attempt as its retry policy says, or is dead when its attempts are
 * spent. Returns the ids whose lease was lost, normally none.
 */
export async function fail(session: Session, jobs: readonly FailedJob[]): Promise<string[]> {
  return endAttempts(session, "fail", jobs, [
    jobs.map((job) => storable(job.error)),
    plainPerJob(jobs, (job) => storedDuration(job.durationMs)),
    plainPerJob(jobs, (job) => job.exitCode),
    plainPerJob(jobs, (job) => job.permanent),
  ]);
}

/** An error must never be the reason why a failure cannot be stored: what Postgres would refuse is replaced. */
function storable(error: string): string {
  return error.slice(0, MAX_ERROR_LENGTH).replaceAll("\u0000", "\uFFFD").toWellFormed();
}

import type { Session } from "../session.ts";
import { toJsonText } from "./json-value.ts";
import { endAttempts, type LeasedJob, perJob, plainPerJob, storedDuration } from "./leases.ts";

/** A job whose handler finished. */
export interface CompletedJob extends LeasedJob {
  /** Anything JSON can hold; at most 1 MiB as text. Kept for the result TTL of the job. */
  readonly result?: unknown;
  /** Milliseconds the handler took. */
  readonly durationMs?: number | undefined;
  /** With which code the process ended, when an executable ran the job. */
  readonly exitCode?: number | undefined;
}

/**
 * Moves finished jobs to the history. Returns the ids whose lease was lost, normally none: their outcome must be
 * dropped, never turned into a failure. Repeating a call whose reply was lost is safe: what it did counts as done. On a
 * session inside the transaction of the handler's own writes it commits with them or not at all (G7).
 */
export async function complete(session: Session, jobs: readonly CompletedJob[]): Promise<string[]> {
  return endAttempts(session, "complete", jobs, [
    perJob(jobs, (job) => (job.result === undefined ? undefined : toJsonText(job.result, `result of job ${job.id}`))),
    plainPerJob(jobs, (job) => storedDuration(job.durationMs)),
    plainPerJob(jobs, (job) => job.exitCode),
  ]);
}

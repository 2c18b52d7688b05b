import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { endAttempts, type LeasedJob, plainPerJob, storedDuration } from "./leases.ts";

/** A running job that somebody wants cancelled. */
export interface CancelRequest extends LeasedJob {
  /** Why, in the words of whoever asked. */
  readonly reason: string;
}

/** The jobs of a worker whose handlers are to be aborted; `acknowledgeCancel` when one has stopped. */
export async function cancelRequests(session: Session, workerId: string): Promise<CancelRequest[]> {
  return session.query<CancelRequest>(
    `select id, lease_token as "leaseToken", reason from ${quoteIdentifier(session.schema)}.cancel_requests($1)`,
    [workerId],
  );
}

/** A job whose handler stopped because it was to be cancelled. */
export interface StoppedJob extends LeasedJob {
  /** Milliseconds the handler took. */
  readonly durationMs?: number | undefined;
}

/** Makes jobs cancelled whose handlers have stopped. Returns the ids whose lease was lost, normally none. */
export async function acknowledgeCancel(session: Session, jobs: readonly StoppedJob[]): Promise<string[]> {
  return endAttempts(session, "acknowledge_cancel", jobs, [plainPerJob(jobs, (job) => storedDuration(job.durationMs))]);
}

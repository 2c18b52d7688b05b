import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { durationsOf } from "./complete.ts";

/** Characters of an error that are kept. */
const MAX_ERROR_LENGTH = 8_192;

/** A job whose handler failed. */
export interface FailedJob {
  readonly id: string;
  readonly leaseToken: string;
  /** What went wrong, for people; the first 8192 characters are kept. */
  readonly error: string;
  /** Milliseconds the handler took. */
  readonly durationMs?: number;
}

/**
 * Records failed attempts: the job waits for its next attempt (exponential, jittered, at most an hour), or is dead when
 * its attempts are spent. Returns the ids whose lease was lost, normally none.
 */
export async function fail(session: Session, jobs: readonly FailedJob[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const rows = await session.query<{ lost: string[] }>(
    `select ${quoteIdentifier(session.schema)}.fail($1, $2, $3, $4) as lost`,
    [
      jobs.map((job) => job.id),
      jobs.map((job) => job.leaseToken),
      jobs.map((job) => storable(job.error)),
      durationsOf(jobs),
    ],
  );
  return rows[0]?.lost ?? [];
}

/** An error must never be the reason why a failure cannot be stored: what Postgres would refuse is replaced. */
function storable(error: string): string {
  return error.slice(0, MAX_ERROR_LENGTH).replaceAll("\u0000", "\uFFFD").toWellFormed();
}

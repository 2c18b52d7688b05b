import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { toJsonText } from "./json-value.ts";

/** A job whose handler finished. */
export interface CompletedJob {
  readonly id: string;
  readonly leaseToken: string;
  /** Anything JSON can hold; at most 1 MiB as text. */
  readonly result?: unknown;
  /** Milliseconds the handler took. */
  readonly durationMs?: number;
}

/**
 * Moves finished jobs to the history. Returns the ids whose lease was lost, normally none: their outcome must be
 * dropped, never turned into a failure. Repeating a call whose reply was lost is safe: what it did counts as done.
 */
export async function complete(session: Session, jobs: readonly CompletedJob[]): Promise<string[]> {
  if (jobs.length === 0) return [];
  const results = jobs.map((job) =>
    job.result === undefined ? null : toJsonText(job.result, `result of job ${job.id}`),
  );
  const rows = await session.query<{ lost: string[] }>(
    `select ${quoteIdentifier(session.schema)}.complete($1, $2, $3::json[], $4) as lost`,
    [
      jobs.map((job) => job.id),
      jobs.map((job) => job.leaseToken),
      results.some((result) => result !== null) ? results : null,
      durationsOf(jobs),
    ],
  );
  return rows[0]?.lost ?? [];
}

/** Whole milliseconds, or null for the array when no job has any. */
export function durationsOf(jobs: readonly { readonly durationMs?: number }[]): (number | null)[] | null {
  if (jobs.every((job) => job.durationMs === undefined)) return null;
  return jobs.map((job) =>
    job.durationMs === undefined ? null : Math.max(0, Math.min(2_147_483_647, Math.round(job.durationMs))),
  );
}

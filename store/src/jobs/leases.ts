import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** The exact pair that names a lease. */
export interface LeasedJob {
  readonly id: string;
  readonly leaseToken: string;
}

/**
 * Calls one of the functions that end attempts: (ids, lease tokens, more arrays) to the ids whose lease was lost.
 */
export async function endAttempts(
  session: Session,
  name: "complete" | "fail" | "snooze" | "return_unstarted" | "acknowledge_cancel",
  jobs: readonly LeasedJob[],
  arrays: readonly (readonly unknown[] | string | null)[] = [],
): Promise<string[]> {
  if (jobs.length === 0) return [];
  const places = ["$1", "$2", ...arrays.map((_, index) => `$${index + 3}`)];
  const [row] = await session.query<{ lost: string[] }>(
    `select ${quoteIdentifier(session.schema)}.${name}(${places.join(", ")}) as lost`,
    [arrayText(jobs, (job) => job.id), arrayText(jobs, (job) => job.leaseToken), ...arrays],
  );
  return row?.lost ?? [];
}

/** One value per job, or null for the whole array when no job has any. */
export function perJob<Item, Value>(
  jobs: readonly Item[],
  value: (job: Item, index: number) => Value | undefined,
): (Value | null)[] | null {
  const values = jobs.map((job, index) => value(job, index) ?? null);
  return values.some((each) => each !== null) ? values : null;
}

/**
 * The same for numbers and booleans, and ids, which are numbers as text: as Postgres writes an array. `pg` would quote each
 * element, which costs more than everything else that is done for a finished job here.
 */
export function plainPerJob<Item>(
  jobs: readonly Item[],
  value: (job: Item) => number | boolean | undefined,
): string | null {
  return jobs.every((job) => value(job) === undefined) ? null : arrayText(jobs, value);
}

function arrayText<Item>(jobs: readonly Item[], value: (job: Item) => string | number | boolean | undefined): string {
  let text = "{";
  for (const job of jobs) text += `${value(job) ?? "null"},`;
  return `${text.slice(0, -1)}}`;
}

/** Milliseconds as the store keeps them: whole, not negative, and never the reason why a finish is refused. */
export function storedDuration(milliseconds: number | undefined): number | undefined {
  if (milliseconds === undefined || Number.isNaN(milliseconds)) return undefined;
  return Math.max(0, Math.min(2_147_483_647, Math.round(milliseconds)));
}

import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** The exact pair that names a lease. */
export interface LeasedJob {
  readonly id: string;
  readonly leaseToken: string;
}

/**
 * Calls one of the functions that end attempts: (ids, lease tokens, more arrays) to the ids whose lease was lost.
 * `casts` has the type of each further array, for those that Postgres would guess wrong.
 */
export async function endAttempts(
  session: Session,
  name: "complete" | "fail" | "snooze" | "return_unstarted" | "acknowledge_cancel",
  jobs: readonly LeasedJob[],
  arrays: readonly (readonly unknown[] | null)[] = [],
): Promise<string[]> {
  if (jobs.length === 0) return [];
  const places = ["$1", "$2", ...arrays.map((_, index) => `$${index + 3}`)];
  const [row] = await session.query<{ lost: string[] }>(
    `select ${quoteIdentifier(session.schema)}.${name}(${places.join(", ")}) as lost`,
    [jobs.map((job) => job.id), jobs.map((job) => job.leaseToken), ...arrays],
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

/** Milliseconds as the store keeps them: whole, not negative, and never the reason why a finish is refused. */
export function storedDuration(milliseconds: number | undefined): number | undefined {
  if (milliseconds === undefined || Number.isNaN(milliseconds)) return undefined;
  return Math.max(0, Math.min(2_147_483_647, Math.round(milliseconds)));
}

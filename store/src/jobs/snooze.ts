import type { Session } from "../session.ts";
import { endAttempts, type LeasedJob } from "./leases.ts";

/** A job that its handler wants to be run again later. */
export interface SnoozedJob extends LeasedJob {
  /** Seconds from now, by the database's clock; 0 to ten years. */
  readonly delaySeconds: number;
}

/** Schedules jobs for later, no attempt spent. Returns the ids whose lease was lost, normally none. */
export async function snooze(session: Session, jobs: readonly SnoozedJob[]): Promise<string[]> {
  return endAttempts(session, "snooze", jobs, [jobs.map((job) => job.delaySeconds)]);
}

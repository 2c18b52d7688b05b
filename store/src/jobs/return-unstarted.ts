import type { Session } from "../session.ts";
import { endAttempts, type LeasedJob } from "./leases.ts";

/**
 * Gives jobs back that were claimed but not started, or that a drain cut short: pending at once, no attempt spent.
 * Returns the ids whose lease was lost, normally none.
 */
export async function returnUnstarted(session: Session, jobs: readonly LeasedJob[]): Promise<string[]> {
  return endAttempts(session, "return_unstarted", jobs);
}

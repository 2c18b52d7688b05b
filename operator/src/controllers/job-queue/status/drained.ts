import type { Verdict } from "../../conditions.ts";
import type { Observed } from "../observed.ts";

/** The condition Drained: has a paused queue come to rest? What a person waits for before a migration of their own. */
export function drainedVerdict({ store }: Observed): Extract<Verdict<"JobQueue">, { type: "Drained" }> {
  const type = "Drained";
  if (store.is !== "ready") {
    const message = "The store cannot be asked which jobs run.";
    return { type, status: "Unknown", reason: "StoreUnreachable", message };
  }
  if (store.holds.length === 0) {
    return { type, status: "False", reason: "NotPaused", message: "No hold is in force: jobs start." };
  }
  if ((store.counts?.running ?? 0) === 0) {
    return { type, status: "True", reason: "NoRunningJobs", message: "The queue is paused and none of its jobs runs." };
  }
  // Not how many: that is in status.jobs, and a message that counts would be written for every job that ends.
  const message = "The queue is paused; jobs that had begun before are still running.";
  return { type, status: "False", reason: "JobsRunning", message };
}

import type { Verdict } from "../../conditions.ts";
import type { Observed } from "../observed.ts";

type BacklogWithinTarget = Extract<Verdict<"JobQueue">, { type: "BacklogWithinTarget" }>;

/**
 * The condition BacklogWithinTarget, where the spec has objectives. Its messages name the targets and not what was counted:
 * that moves all the time, and is in status.jobs and status.oldestPendingSince.
 */
export function objectivesVerdict({ queue, store }: Observed, now: number): BacklogWithinTarget | undefined {
  const type = "BacklogWithinTarget";
  const targets = queue?.spec.objectives;
  if (targets?.oldestPendingSeconds === undefined && targets?.pending === undefined) return undefined;
  if (store.is !== "ready") {
    return { type, status: "Unknown", reason: "StoreUnreachable", message: "The store cannot be asked." };
  }
  const { oldestPendingSeconds: oldest, pending } = targets;
  const { oldestPendingSeconds: age, pending: waiting = 0 } = store.counts ?? {};
  if (oldest !== undefined && age !== undefined && age + (now - store.at) / 1000 > oldest) {
    const message = `A job has been pending for more than ${oldest} s; look whether workers are available and the queue is not paused.`;
    return { type, status: "False", reason: "OldestJobTooOld", message };
  }
  if (pending !== undefined && waiting > pending) {
    const message = `More than ${pending} jobs are pending; look whether workers are available, and whether they are enough.`;
    return { type, status: "False", reason: "TooManyPending", message };
  }
  return { type, status: "True", reason: "WithinTarget", message: "All of spec.objectives are met." };
}

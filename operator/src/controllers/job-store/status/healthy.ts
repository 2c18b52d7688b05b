import type { JobStoreSpec } from "@jobqueue/crds";
import type { Verdict } from "../../conditions.ts";
import { staleJobs } from "../changes.ts";
import type { StoreView } from "../store-view.ts";

/** The condition Healthy of a JobStore: is there a live worker behind everything that runs? */
export function healthyVerdict(
  view: StoreView,
  { staleLockRecovery: { mode } }: JobStoreSpec,
): Extract<Verdict<"JobStore">, { type: "Healthy" }> {
  const type = "Healthy";
  if (mode === "Disabled") {
    const message = "spec.staleLockRecovery.mode is Disabled: nobody looks for jobs without a live worker.";
    return { type, status: "Unknown", reason: "NotLooked", message };
  }
  if (view.is !== "up" || !view.snapshot) {
    return { type, status: "Unknown", reason: "StoreUnreachable", message: "The store cannot be asked." };
  }
  if (staleJobs(view.snapshot) === 0) {
    return { type, status: "True", reason: "NothingStale", message: "Every running job has a live worker." };
  }
  const message =
    mode === "Recover"
      ? "Running jobs have no live worker; they are handed on."
      : 'Running jobs have no live worker, and spec.staleLockRecovery.mode is Report: look why, then run "jobqueue recover-stale".';
  return { type, status: "False", reason: "StaleJobs", message };
}

import type { Finding } from "../../../plan/action.ts";
import { staleJobs } from "../changes.ts";
import type { ObservedStore } from "../observed.ts";

/**
 * Jobs whose lease is no longer backed by a live worker are handed on. Workers sweep too; the operator does it for stores
 * whose workers are all gone, and finishes what an operator that died between "workers are gone" and "recover" began.
 */
export function staleJobsRecovered({ key, monitor }: ObservedStore): Finding {
  if (monitor?.view.is !== "up" || !monitor.view.snapshot) return {};
  const stale = staleJobs(monitor.view.snapshot);
  if (stale === 0) return {};
  const sentence = `${stale} running ${stale === 1 ? "job has" : "jobs have"} no live worker.`;
  return { actions: [{ do: "recoverStale", store: key, reason: "LeaseLapsed", sentence }] };
}

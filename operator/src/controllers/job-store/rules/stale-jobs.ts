import type { Finding } from "../../../plan/plan.ts";
import { staleJobs } from "../changes.ts";
import type { ObservedStore } from "../observed.ts";

/**
 * Jobs whose lease is no longer backed by a live worker are handed on, where `spec.staleLockRecovery` lets the operator.
 * Workers sweep too; the operator does it for stores whose workers are all gone, and finishes what an operator that died
 * between "workers are gone" and "recover" began.
 */
export function staleJobsRecovered({ key, jobStore, monitor }: ObservedStore): Finding {
  if (!jobStore || monitor?.view.is !== "up" || !monitor.view.snapshot) return {};
  const { mode, graceSeconds, intervalSeconds, limit } = jobStore.spec.staleLockRecovery;
  const stale = staleJobs(monitor.view.snapshot);
  if (stale === 0 || mode !== "Recover") return {};
  const sentence = `${stale} running ${stale === 1 ? "job has" : "jobs have"} no live worker.`;
  const ms = monitor.sweptMsAgo === undefined ? 0 : intervalSeconds * 1000 - monitor.sweptMsAgo;
  const reason = "LeaseLapsed";
  if (ms > 0) return { actions: [{ do: "wait", ms, reason, sentence }] };
  return { actions: [{ do: "recoverStale", store: key, limit, graceSeconds, reason, sentence }] };
}

import type { ActiveJobs, QueueStats } from "@jobqueue/store";
import type { AdminMetrics } from "./metrics.ts";
import type { Seen } from "./snapshot.ts";

/**
 * Most queues that have series of their own. A queue appears when a producer first names it, so their number is not ours to
 * bound, and a scrape has to end.
 */
const MOST_QUEUES = 1_000;

/** What the series of queues are made of; undefined: the store does not answer. */
export type QueuesSeen =
  { readonly stats: Seen<readonly QueueStats[]>; readonly active: readonly ActiveJobs[] } | undefined;

/**
 * Sets the gauges of queues to what was read for this scrape. A queue that is gone, and every queue while the store does not
 * answer, leaves no series behind: an old number would look like one of now.
 */
export function measureQueues(metrics: AdminMetrics, seen: QueuesSeen): void {
  const { storeUp, queueSize, queueAge, queueActiveDuration, queueActive, queuesLeftOut, countedAt } = metrics;
  for (const gauge of [queueSize, queueAge, queueActiveDuration, queueActive, queuesLeftOut, countedAt]) gauge.reset();
  storeUp.set(seen ? 1 : 0);
  if (!seen) return;
  const queues = seen.stats.value.slice(0, MOST_QUEUES);
  const names = new Set(queues.map(({ queue }) => queue));
  queuesLeftOut.set(seen.stats.value.length - queues.length);
  countedAt.set(seen.stats.at.getTime() / 1000);
  for (const { queue, oldestPendingSeconds, ...counts } of queues) {
    for (const state of ["pending", "scheduled", "running", "failed", "deferred", "dead", "stale"] as const)
      queueSize.set({ queue, state }, counts[state]);
    queueAge.set({ queue }, oldestPendingSeconds ?? 0);
  }
  for (const { queue, hostname, jobs, longestSeconds } of seen.active) {
    if (!names.has(queue)) continue;
    queueActive.set({ queue, hostname }, jobs);
    queueActiveDuration.set({ queue, hostname }, longestSeconds);
  }
}

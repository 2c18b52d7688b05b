import type { QueueStats } from "../queues/queue-stats.ts";

/** Figures of a queue without jobs and limits. */
export const NO_JOBS: Omit<QueueStats, "queue"> = {
  pending: 0,
  scheduled: 0,
  running: 0,
  failed: 0,
  dead: 0,
  stale: 0,
  oldestPendingSeconds: null,
  oldestPendingSince: null,
  deferred: 0,
  cancelled: 0,
  maxRunning: null,
  maxRunningPerKey: null,
  fair: false,
  rate: null,
};

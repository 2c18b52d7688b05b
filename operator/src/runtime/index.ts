/** The engine: clocks, lifecycle, queue, controller. No domain words, imports nothing of ours. */
export { backoffMs, type BackoffPolicy } from "./backoff.ts";
export { sleep, systemClock, type Clock } from "./clock.ts";
export {
  Controller,
  type ControllerOptions,
  type Outcome,
  type Reconcile,
  type ReconcileContext,
} from "./controller.ts";
export { silentLog, type Log, type LogLine } from "./log.ts";
export { exposition } from "./exposition.ts";
export type { LiveGauge, Series } from "./live-gauge.ts";
export {
  registerMetrics,
  RUNTIME_METRICS,
  type MetricDefinition,
  type Metrics,
  type RuntimeMetrics,
} from "./metrics.ts";
export { TokenBucket } from "./rate-limit.ts";
export { BaseService, type Service } from "./service.ts";
export { WorkQueue, type Priority, type WorkQueueOptions } from "./work-queue.ts";

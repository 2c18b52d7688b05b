/**
 * What the operator measures beside the edge and the engine: one closed table. Labels are namespace and name of our own
 * objects, never a job, a pod or a worker. Only the leader exports what it knows from stores.
 */
import type { JobQueue } from "@jobqueue/crds";
import type { Cache } from "./kube/index.ts";
import { splitKey } from "./kube/index.ts";
import type { MetricDefinition, Metrics } from "./runtime/index.ts";
import { queueNameOf, storeKeyOf } from "./controllers/job-queue/desired/names.ts";
import type { Monitors } from "./controllers/job-store/monitors.ts";
import { workersByPool } from "./controllers/job-store/workers-by-pool.ts";

/** The table. `docs/reference` is made from it. */
export const OPERATOR_METRICS = {
  jobs: {
    type: "gauge",
    name: "jobqueue_jobs",
    help: "Jobs of a queue by state: pending, scheduled, running, dead, stale (running without a live worker)",
    labels: ["namespace", "name", "state"],
  },
  oldestPending: {
    type: "gauge",
    name: "jobqueue_oldest_pending_seconds",
    help: "How long the oldest pending job of a queue has been waiting; 0 when none is pending",
    labels: ["namespace", "name"],
  },
  paused: {
    type: "gauge",
    name: "jobqueue_paused",
    help: "1 while a hold is in force on a queue",
    labels: ["namespace", "name"],
  },
  workers: {
    type: "gauge",
    name: "jobqueue_workers",
    help: "Workers of a pool by what the store knows of them: alive, lapsed",
    labels: ["namespace", "name", "state"],
  },
  storeUp: {
    type: "gauge",
    name: "jobqueue_store_up",
    help: "1 while a store answers and can be used",
    labels: ["namespace", "name"],
  },
  storeLookSeconds: {
    type: "histogram",
    name: "jobqueue_store_query_seconds",
    help: "Time one look at a store took, all its queries together",
    labels: ["result"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  recovered: {
    type: "counter",
    name: "jobqueue_jobs_recovered_total",
    help: "Jobs of lost workers that the operator handed on, by why it did",
    labels: ["reason"],
  },
  scheduleTicks: {
    type: "counter",
    name: "jobqueue_schedule_ticks_total",
    help: "Ticks of schedules that the operator dealt with: fired (became a job) or skipped (missed, and left out by policy)",
    labels: ["outcome"],
  },
  statusWrites: {
    type: "counter",
    name: "jobqueue_status_writes_total",
    help: "Writes of a status by what became of them",
    labels: ["kind", "result"],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The live metrics. */
export type OperatorMetrics = Metrics<typeof OPERATOR_METRICS>;

/** Sets the gauges to what is known now; called for each scrape, so that an object that is gone leaves no series behind. */
export function measure(
  metrics: OperatorMetrics,
  seen: { readonly monitors: Monitors | undefined; readonly jobQueues: Cache<JobQueue> },
): void {
  const gauges = [metrics.jobs, metrics.oldestPending, metrics.paused, metrics.workers, metrics.storeUp];
  for (const gauge of gauges) gauge.reset();
  const { monitors } = seen;
  if (!monitors) return;
  for (const key of monitors.keys()) {
    const { namespace = "", name } = splitKey(key);
    const view = monitors.find(key)?.view;
    metrics.storeUp.set({ namespace, name }, view?.is === "up" && view.snapshot ? 1 : 0);
  }
  for (const queue of seen.jobQueues.values()) measureQueue(metrics, queue, monitors);
}

function measureQueue(metrics: OperatorMetrics, queue: JobQueue, monitors: Monitors): void {
  const view = monitors.find(storeKeyOf(queue))?.view;
  if (view?.is !== "up" || !view.snapshot) return;
  const { namespace, name } = queue.metadata;
  const queueName = queueNameOf(queue);
  const counts = view.snapshot.queues.get(queueName);
  for (const state of ["pending", "scheduled", "running", "dead", "stale"] as const) {
    metrics.jobs.set({ namespace, name, state }, counts?.[state] ?? 0);
  }
  metrics.oldestPending.set({ namespace, name }, counts?.oldestPendingSeconds ?? 0);
  const held = view.snapshot.holds.some((hold) => hold.queue === queueName || hold.queue === "*");
  metrics.paused.set({ namespace, name }, held ? 1 : 0);
  const pool = workersByPool(view.snapshot).get(`${namespace}/${name}`) ?? [];
  const alive = pool.filter((worker) => worker.alive).length;
  metrics.workers.set({ namespace, name, state: "alive" }, alive);
  metrics.workers.set({ namespace, name, state: "lapsed" }, pool.length - alive);
}

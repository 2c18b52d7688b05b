/**
 * What the operator measures beside the edge and the engine: one closed table. Labels are namespace and name of our own
 * objects, never a job, a pod or a worker. Only the leader exports what it knows from stores.
 */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Cache } from "./kube/index.ts";
import { splitKey } from "./kube/index.ts";
import type { MetricDefinition, Metrics } from "./runtime/index.ts";
import { HUNG_REASONS } from "./controllers/job-queue/health/verdict.ts";
import { queueNameOf, storeKeyOf } from "./controllers/job-queue/desired/names.ts";
import type { StoreKey } from "./plan/action.ts";
import type { StoreView } from "./controllers/job-store/store-view.ts";
import { workersByPool } from "./controllers/job-store/workers-by-pool.ts";

/** Why a worker's pod is removed, as its restart says. */
const RESTART_REASONS = [...Object.values(HUNG_REASONS), "Requested"];

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
  pausedSeconds: {
    type: "gauge",
    name: "jobqueue_paused_seconds",
    help: "How long the oldest hold that is in force on a queue has been there; 0 when there is none",
    labels: ["namespace", "name"],
  },
  pausedWithoutEndSeconds: {
    type: "gauge",
    name: "jobqueue_paused_without_end_seconds",
    help: "How long the oldest hold that is in force on a queue and does not end by itself has been there; 0 when there is none",
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
  oldSnapshots: {
    type: "gauge",
    name: "jobqueue_store_old_snapshots",
    help: "Sessions, prepared transactions and replication slots that have been holding a snapshot of a store for more than ten minutes (at most 8 are counted); claims slow down while there are any",
    labels: ["namespace", "name"],
  },
  conditions: {
    type: "gauge",
    name: "jobqueue_condition",
    help: "1 for every condition of a JobQueue or JobStore as its status says it, with its status (True, False, Unknown) and reason",
    labels: ["kind", "namespace", "name", "type", "status", "reason"],
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
    values: ["PodGone", "LeaseLapsed", "RecoverRequested", ...RESTART_REASONS],
  },
  restarts: {
    type: "counter",
    name: "jobqueue_worker_restarts_total",
    help: "Workers whose pod the operator removed, by why it did",
    labels: ["reason"],
    values: RESTART_REASONS,
  },
  scheduleTicks: {
    type: "counter",
    name: "jobqueue_schedule_ticks_total",
    help: "Ticks of schedules that the operator dealt with: fired (became a job) or skipped (missed, and left out by policy)",
    labels: ["outcome"],
    values: ["fired", "skipped"],
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

/** What is known of the stores that are watched. */
interface StoresSeen {
  keys(): Iterable<StoreKey>;
  find(key: StoreKey): { readonly view: StoreView } | undefined;
}

/** Sets the gauges to what is known now; called for each scrape, so that an object that is gone leaves no series behind. */
export function measure(
  metrics: OperatorMetrics,
  seen: {
    readonly monitors: StoresSeen | undefined;
    readonly jobQueues: Cache<JobQueue>;
    readonly jobStores: Cache<JobStore>;
    /** The operator's wall clock, milliseconds. */
    readonly now: number;
  },
): void {
  const { jobs, oldestPending, paused, pausedSeconds, pausedWithoutEndSeconds, workers, ...rest } = metrics;
  const { storeUp, oldSnapshots, conditions } = rest;
  const ofQueues = [jobs, oldestPending, paused, pausedSeconds, pausedWithoutEndSeconds, workers];
  for (const gauge of [...ofQueues, storeUp, oldSnapshots, conditions]) gauge.reset();
  const { monitors } = seen;
  if (!monitors) return;
  for (const key of monitors.keys()) {
    const { namespace = "", name } = splitKey(key);
    const view = monitors.find(key)?.view;
    const snapshot = view?.is === "up" ? view.snapshot : undefined;
    storeUp.set({ namespace, name }, snapshot ? 1 : 0);
    if (snapshot) oldSnapshots.set({ namespace, name }, snapshot.oldSnapshots.length);
  }
  for (const store of seen.jobStores.values()) measureConditions(metrics, "JobStore", store);
  for (const queue of seen.jobQueues.values()) {
    measureConditions(metrics, "JobQueue", queue);
    try {
      measureQueue(metrics, queue, monitors, seen.now);
    } catch {
      // One that cannot be read (an older definition let it in) has no numbers, and costs nobody else theirs; its reconciles tell.
    }
  }
}

/** What the status of an object says; one that cannot be read (an older definition let it in) says nothing. */
function measureConditions(metrics: OperatorMetrics, kind: "JobQueue" | "JobStore", object: JobQueue | JobStore): void {
  const { namespace, name } = object.metadata;
  const conditions = object.status?.conditions;
  if (!Array.isArray(conditions)) return;
  for (const { type, status, reason } of conditions)
    metrics.conditions.set({ kind, namespace, name, type, status, reason }, 1);
}

function measureQueue(metrics: OperatorMetrics, queue: JobQueue, monitors: StoresSeen, now: number): void {
  const view = monitors.find(storeKeyOf(queue))?.view;
  if (view?.is !== "up" || !view.snapshot) return;
  const { namespace, name } = queue.metadata;
  const queueName = queueNameOf(queue);
  const { clockAheadMs } = view.snapshot;
  const counts = view.snapshot.queues.get(queueName);
  for (const state of ["pending", "scheduled", "running", "dead", "stale"] as const) {
    metrics.jobs.set({ namespace, name, state }, counts?.[state] ?? 0);
  }
  metrics.oldestPending.set({ namespace, name }, counts?.oldestPendingSeconds ?? 0);
  const holds = view.snapshot.holds.filter((hold) => hold.queue === queueName || hold.queue === "*");
  metrics.paused.set({ namespace, name }, holds.length > 0 ? 1 : 0);
  // Holds are dated by the database's clock.
  const longest = (some: typeof holds): number =>
    Math.max(0, ...some.map(({ since }) => now + clockAheadMs - Date.parse(since))) / 1000;
  metrics.pausedSeconds.set({ namespace, name }, longest(holds));
  const endless = holds.filter(({ until }) => until === undefined);
  metrics.pausedWithoutEndSeconds.set({ namespace, name }, longest(endless));
  const pool = workersByPool(view.snapshot).get(`${namespace}/${name}`) ?? [];
  const alive = pool.filter((worker) => worker.alive).length;
  metrics.workers.set({ namespace, name, state: "alive" }, alive);
  metrics.workers.set({ namespace, name, state: "lapsed" }, pool.length - alive);
}

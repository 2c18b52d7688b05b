/**
 * What the operator measures beside the edge and the engine: one closed table. Labels are namespace and name of our own
 * objects, never a job, a pod or a worker. Only the leader exports what it knows from stores.
 */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Cache } from "./kube/index.ts";
import { splitKey } from "./kube/index.ts";
import type { LiveGauge, MetricDefinition, Metrics, Series } from "./runtime/index.ts";
import { HUNG_REASONS } from "./controllers/job-queue/health/verdict.ts";
import { queueNameOf, storeKeyOf } from "./controllers/job-queue/desired/names.ts";
import type { StoreKey } from "./plan/action.ts";
import { holdsOn, workersByPool } from "./controllers/job-store/snapshot-groups.ts";
import type {
  HoldSeen,
  QueueSeen as JobCounts,
  StoreSnapshot,
  StoreView,
  WorkerSeen,
} from "./controllers/job-store/store-view.ts";

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

/** What is known now: asked for whenever somebody reads. */
export interface Known {
  /** Absent: this replica does not lead. */
  readonly monitors: StoresSeen | undefined;
  readonly jobQueues: Cache<JobQueue>;
  readonly jobStores: Cache<JobStore>;
  /** The operator's wall clock, milliseconds. */
  readonly now: number;
}

/** Has the gauges of stores and queues show what is known when they are read. */
export function showKnown(metrics: OperatorMetrics, known: () => Known): void {
  metrics.storeUp.show(() => storesOf(known(), ({ labels, snapshot }) => [{ labels, value: snapshot ? 1 : 0 }]));
  metrics.oldSnapshots.show(() =>
    storesOf(known(), ({ labels, snapshot }) => (snapshot ? [{ labels, value: snapshot.oldSnapshots.length }] : [])),
  );
  metrics.conditions.show(() => conditionsOf(known()));
  const ofQueues = (gauge: LiveGauge, series: (queue: QueueSeen) => Iterable<Series>): void => {
    gauge.show(() => queuesOf(known(), series));
  };
  const ofQueue = (gauge: LiveGauge, value: (queue: QueueSeen) => number): void => {
    ofQueues(gauge, (queue) => [{ labels: queue.labels, value: value(queue) }]);
  };
  ofQueues(metrics.jobs, ({ labels, counts }) =>
    JOB_STATES.map((state) => ({ labels: { ...labels, state }, value: counts?.[state] ?? 0 })),
  );
  ofQueue(metrics.oldestPending, ({ counts }) => counts?.oldestPendingSeconds ?? 0);
  ofQueue(metrics.paused, ({ holds }) => (holds.length > 0 ? 1 : 0));
  ofQueue(metrics.pausedSeconds, ({ holds, now }) => longestSeconds(holds, now));
  ofQueue(metrics.pausedWithoutEndSeconds, ({ holds, now }) =>
    longestSeconds(
      holds.filter(({ until }) => until === undefined),
      now,
    ),
  );
  ofQueues(metrics.workers, ({ labels, pool }) => {
    const alive = pool.filter((worker) => worker.alive).length;
    return [
      { labels: { ...labels, state: "alive" }, value: alive },
      { labels: { ...labels, state: "lapsed" }, value: pool.length - alive },
    ];
  });
}

const JOB_STATES = ["pending", "scheduled", "running", "dead", "stale"] as const;

interface StoreSeen {
  readonly labels: Series["labels"];
  readonly snapshot: StoreSnapshot | undefined;
}

function* storesOf({ monitors }: Known, series: (store: StoreSeen) => Iterable<Series>): Generator<Series> {
  for (const key of monitors?.keys() ?? []) {
    const { namespace = "", name } = splitKey(key);
    yield* series({ labels: { namespace, name }, snapshot: snapshotOf(monitors?.find(key)?.view) });
  }
}

const snapshotOf = (view: StoreView | undefined): StoreSnapshot | undefined =>
  view?.is === "up" ? view.snapshot : undefined;

/** What the statuses of all objects say; one that cannot be read (an older definition let it in) says nothing. */
function* conditionsOf({ monitors, jobStores, jobQueues }: Known): Generator<Series> {
  if (!monitors) return;
  // A reader may pause, and a cache that changes meanwhile would show an object twice: so those that are there now.
  const objects = [
    ...Array.from(jobStores.values(), (store) => ["JobStore", store] as const),
    ...Array.from(jobQueues.values(), (queue) => ["JobQueue", queue] as const),
  ];
  for (const [kind, { metadata, status: told }] of objects) {
    const { namespace, name } = metadata;
    if (!Array.isArray(told?.conditions)) continue;
    for (const { type, status, reason } of told.conditions)
      yield { labels: { kind, namespace, name, type, status, reason }, value: 1 };
  }
}

/** A JobQueue whose store answers. */
interface QueueSeen {
  readonly labels: Series["labels"];
  /** Absent: the store has no jobs of it. */
  readonly counts: JobCounts | undefined;
  /** In force on it. */
  readonly holds: readonly HoldSeen[];
  readonly pool: readonly WorkerSeen[];
  /** By the clock of its database, milliseconds. */
  readonly now: number;
}

function* queuesOf(known: Known, series: (queue: QueueSeen) => Iterable<Series>): Generator<Series> {
  const { monitors, jobQueues, now } = known;
  if (!monitors) return;
  for (const queue of Array.from(jobQueues.values())) {
    let seen: QueueSeen | undefined;
    try {
      seen = queueSeen(queue, monitors, now);
    } catch {
      // One that cannot be read (an older definition let it in) has no numbers, and costs nobody else theirs; its reconciles tell.
    }
    if (seen) yield* series(seen);
  }
}

function queueSeen(queue: JobQueue, monitors: StoresSeen, now: number): QueueSeen | undefined {
  const snapshot = snapshotOf(monitors.find(storeKeyOf(queue))?.view);
  if (!snapshot) return undefined;
  const { namespace, name } = queue.metadata;
  const queueName = queueNameOf(queue);
  return {
    labels: { namespace, name },
    counts: snapshot.queues.get(queueName),
    holds: holdsOn(snapshot, queueName),
    pool: workersByPool(snapshot).get(`${namespace}/${name}`) ?? [],
    now: now + snapshot.clockAheadMs,
  };
}

/** How long the oldest of some holds has been there; they are dated by the database's clock. */
const longestSeconds = (holds: readonly HoldSeen[], now: number): number =>
  Math.max(0, ...holds.map(({ since }) => now - Date.parse(since))) / 1000;

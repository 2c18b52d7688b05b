import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** One row of a closed table of metrics. Names and help texts are a contract with dashboards and alerts. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  /** Bounded sets only: never an object's name, never user input. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** The live metrics of a table, under the table's keys. */
export type Metrics<Table extends Record<string, MetricDefinition>> = {
  readonly [Key in keyof Table]: Table[Key]["type"] extends "counter"
    ? Counter
    : Table[Key]["type"] extends "histogram"
      ? Histogram
      : Gauge;
};

const collectors = new WeakMap<Gauge, Set<() => void>>();

function runCollectors(this: Gauge): void {
  for (const run of collectors.get(this) ?? []) run();
}

/** Has `run` set a gauge of a table just before it is read, for what would be costly to keep current. Returns how to end that. */
export function whenCollected(gauge: Gauge, run: () => void): () => void {
  const runs = collectors.get(gauge) ?? new Set();
  collectors.set(gauge, runs.add(run));
  return () => {
    runs.delete(run);
  };
}

/** Makes the metrics of a table in a registry; what the registry already has under a name is used again. */
export function registerMetrics<const Table extends Record<string, MetricDefinition>>(
  registry: Registry,
  table: Table,
): Metrics<Table> {
  const entries = Object.entries(table).map(([key, { type, name, help, labels, buckets }]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    const make = () => {
      if (type === "counter") return new Counter(common);
      if (type === "gauge") return new Gauge({ ...common, collect: runCollectors });
      return new Histogram({ ...common, ...(buckets && { buckets: [...buckets] }) });
    };
    return [key, registry.getSingleMetric(name) ?? make()];
  });
  return Object.fromEntries(entries) as Metrics<Table>;
}

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What the engine measures. Names as in client-go `util/workqueue` and controller-runtime `pkg/internal/controller/metrics`. */
export const RUNTIME_METRICS = {
  queueDepth: {
    type: "gauge",
    name: "workqueue_depth",
    help: "Keys waiting in the queue",
    labels: ["name", "priority"],
  },
  queueAdds: { type: "counter", name: "workqueue_adds_total", help: "Keys added to the queue", labels: ["name"] },
  queueRetries: {
    type: "counter",
    name: "workqueue_retries_total",
    help: "Keys added again after a failure",
    labels: ["name"],
  },
  queueSeconds: {
    type: "histogram",
    name: "workqueue_queue_duration_seconds",
    help: "Time a key waited until a worker took it",
    labels: ["name"],
    buckets: SECONDS,
  },
  workSeconds: {
    type: "histogram",
    name: "workqueue_work_duration_seconds",
    help: "Time a worker held a key",
    labels: ["name"],
    buckets: SECONDS,
  },
  longestRunning: {
    type: "gauge",
    name: "workqueue_longest_running_processor_seconds",
    help: "Age of the oldest key that is being worked on",
    labels: ["name"],
  },
  unfinished: {
    type: "gauge",
    name: "workqueue_unfinished_work_seconds",
    help: "Sum of the ages of all keys that are being worked on",
    labels: ["name"],
  },
  reconciles: {
    type: "counter",
    name: "controller_runtime_reconcile_total",
    help: "Reconciles by result",
    labels: ["controller", "result"],
  },
  reconcileErrors: {
    type: "counter",
    name: "controller_runtime_reconcile_errors_total",
    help: "Reconciles that ended in an error, terminal ones included",
    labels: ["controller"],
  },
  terminalErrors: {
    type: "counter",
    name: "controller_runtime_terminal_reconcile_errors_total",
    help: "Reconciles that ended in an error no retry can mend",
    labels: ["controller"],
  },
  reconcilePanics: {
    type: "counter",
    name: "controller_runtime_reconcile_panics_total",
    help: "Reconciles that threw instead of returning an outcome",
    labels: ["controller"],
  },
  reconcileSeconds: {
    type: "histogram",
    name: "controller_runtime_reconcile_time_seconds",
    help: "Length of one reconcile",
    labels: ["controller"],
    buckets: SECONDS,
  },
  maxWorkers: {
    type: "gauge",
    name: "controller_runtime_max_concurrent_reconciles",
    help: "Workers of the controller",
    labels: ["controller"],
  },
  activeWorkers: {
    type: "gauge",
    name: "controller_runtime_active_workers",
    help: "Workers that are reconciling now",
    labels: ["controller"],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The engine's metrics in a registry. */
export type RuntimeMetrics = Metrics<typeof RUNTIME_METRICS>;

import { Counter, type Gauge, Histogram, type Registry } from "prom-client";
import { LiveGauge } from "./live-gauge.ts";

/** One row of a closed table of metrics. Names and help texts are a contract with dashboards and alerts. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  /** Bounded sets only: never an object's name, never user input. */
  readonly labels: readonly string[];
  /**
   * Of a counter with one label of a closed set: that set. Its series are there from the start, at 0: the first event of a series
   * that is born with it is no increase to Prometheus.
   */
  readonly values?: readonly string[];
  /** Upper bounds of a histogram, in the unit of its name. */
  readonly buckets?: readonly number[];
}

/** The live metrics of a table, under the table's keys. */
export type Metrics<Table extends Record<string, MetricDefinition>> = {
  readonly [Key in keyof Table]: Table[Key]["type"] extends "counter"
    ? Counter
    : Table[Key]["type"] extends "histogram"
      ? Histogram
      : LiveGauge;
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
  const entries = Object.entries(table).map(([key, { type, name, help, labels, values = [], buckets }]) => {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    const make = () => {
      if (type === "counter") {
        const made = new Counter(common);
        for (const value of values) made.inc({ [labels[0] ?? ""]: value }, 0);
        return made;
      }
      if (type === "gauge") return new LiveGauge({ ...common, collect: runCollectors });
      return new Histogram({ ...common, ...(buckets && { buckets: [...buckets] }) });
    };
    return [key, registry.getSingleMetric(name) ?? make()];
  });
  return Object.fromEntries(entries) as Metrics<Table>;
}

/** A row for what only grows. */
export const counter = (name: string, help: string, ...labels: string[]) =>
  ({ type: "counter", name, help, labels }) as const;

/** A row for what goes up and down. */
export const gauge = (name: string, help: string, ...labels: string[]) =>
  ({ type: "gauge", name, help, labels }) as const;

/** A row for durations in seconds, from a millisecond to a minute. */
export const seconds = (name: string, help: string, ...labels: string[]) =>
  ({ type: "histogram", name, help, labels, buckets: SECONDS }) as const;

const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What the engine measures. Names as in client-go `util/workqueue` and controller-runtime `pkg/internal/controller/metrics`. */
export const RUNTIME_METRICS = {
  queueDepth: gauge("workqueue_depth", "Keys waiting in the queue", "name", "priority"),
  queueAdds: counter("workqueue_adds_total", "Keys added to the queue", "name"),
  queueRetries: counter("workqueue_retries_total", "Keys added again after a failure", "name"),
  queueSeconds: seconds("workqueue_queue_duration_seconds", "Time a key waited until a worker took it", "name"),
  workSeconds: seconds("workqueue_work_duration_seconds", "Time a worker held a key", "name"),
  longestRunning: gauge("workqueue_longest_running_processor_seconds", "Age of the oldest key being worked on", "name"),
  unfinished: gauge("workqueue_unfinished_work_seconds", "Sum of the ages of all keys being worked on", "name"),
  reconciles: counter("controller_runtime_reconcile_total", "Reconciles by result", "controller", "result"),
  reconcileErrors: counter(
    "controller_runtime_reconcile_errors_total",
    "Reconciles that ended in an error",
    "controller",
  ),
  terminalErrors: counter(
    "controller_runtime_terminal_reconcile_errors_total",
    "Reconciles that ended in an error no retry can mend",
    "controller",
  ),
  reconcilePanics: counter(
    "controller_runtime_reconcile_panics_total",
    "Reconciles that threw instead of returning an outcome",
    "controller",
  ),
  reconcileSeconds: seconds("controller_runtime_reconcile_time_seconds", "Length of one reconcile", "controller"),
  maxWorkers: gauge("controller_runtime_max_concurrent_reconciles", "Workers of the controller", "controller"),
  activeWorkers: gauge("controller_runtime_active_workers", "Workers that are reconciling now", "controller"),
} as const satisfies Record<string, MetricDefinition>;

/** The engine's metrics in a registry. */
export type RuntimeMetrics = Metrics<typeof RUNTIME_METRICS>;

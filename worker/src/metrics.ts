import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from "prom-client";
import { DurationHistogram } from "./duration-histogram.ts";

/** One row of the table of metrics. */
interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /**
   * Of a counter with one label of a closed set: that set. Its series are there from the start, at 0: the first event of a series
   * that is born with it is no increase to Prometheus.
   */
  readonly values?: readonly string[];
  readonly buckets?: readonly number[];
}

/**
 * Every metric of a worker. Label values come from configuration (queue), from the loaded handlers (kind) or from closed
 * sets in code, never from what a producer sends: an unknown kind is counted by queue only.
 */
export const METRICS = {
  jobqueue_worker_claims_total: {
    type: "counter",
    help: "Claims sent to the store, by outcome (jobs, empty, error).",
    labels: ["outcome"],
    values: ["jobs", "empty", "error"],
  },
  jobqueue_worker_jobs_claimed_total: { type: "counter", help: "Jobs claimed.", labels: ["queue"] },
  jobqueue_worker_jobs_finished_total: {
    type: "counter",
    help: "Attempts that ended, by what the store acknowledged (completed, failed, snoozed, cancelled, returned) or lease_lost when the outcome was dropped.",
    labels: ["queue", "kind", "outcome"],
  },
  jobqueue_worker_job_duration_seconds: {
    type: "histogram",
    help: "How long handlers ran.",
    labels: ["queue", "kind"],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600, 3600],
  },
  jobqueue_worker_jobs_unknown_kind_total: {
    type: "counter",
    help: "Jobs given back untouched because no handler knows their kind.",
    labels: ["queue"],
  },
  jobqueue_worker_jobs_unstarted_total: {
    type: "counter",
    help: "Claimed jobs given back before they started, by reason (hold, waited, surplus, cancel, drain, lease_lost, last_chance).",
    labels: ["reason"],
  },
  jobqueue_worker_jobs_recovered_total: {
    type: "counter",
    help: "Stale jobs that this worker's sweep recovered, by outcome (retried, failed, held, cancelled, dead).",
    labels: ["outcome"],
    values: ["retried", "failed", "held", "cancelled", "dead"],
  },
  jobqueue_worker_schedule_ticks_total: {
    type: "counter",
    help: "Ticks of schedules that this worker dealt with, by outcome (fired, skipped).",
    labels: ["outcome"],
    values: ["fired", "skipped"],
  },
  jobqueue_worker_slots: { type: "gauge", help: "Slots, by state (busy, stuck, free).", labels: ["state"] },
  jobqueue_worker_buffered_jobs: { type: "gauge", help: "Jobs claimed and not started." },
  jobqueue_worker_unacknowledged_outcomes: { type: "gauge", help: "Outcomes that the store has not acknowledged yet." },
  jobqueue_worker_flush_outcomes: {
    type: "histogram",
    help: "Outcomes per flush to the store.",
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000],
  },
  jobqueue_worker_leases_lost_total: {
    type: "counter",
    help: "Times the worker fenced itself, by reason (not_renewed, store_said_so).",
    labels: ["reason"],
    values: ["not_renewed", "store_said_so"],
  },
  jobqueue_worker_lease_remaining_seconds: {
    type: "gauge",
    help: "How long the worker may still trust its lease; 0 without one.",
  },
  jobqueue_worker_heartbeat_failures_total: { type: "counter", help: "Heartbeats that got no answer." },
  jobqueue_worker_store_errors_total: {
    type: "counter",
    help: "Errors of the store, by operation and class of error.",
    labels: ["operation", "code"],
  },
  jobqueue_worker_event_loop_longest_block_seconds: {
    type: "gauge",
    help: "Longest time the event loop stood still since the last scrape.",
  },
  jobqueue_worker_hints_hearing: {
    type: "gauge",
    help: "1 while hints of the store arrive, 0 while only polling finds work.",
  },
  jobqueue_worker_draining: { type: "gauge", help: "1 while draining." },
  jobqueue_worker_drained: {
    type: "gauge",
    help: "1 while the operator keeps it idle, because its pool shrinks: it stays up and takes no jobs.",
  },
  jobqueue_worker_unhandled_rejections_total: {
    type: "counter",
    help: "Promises of handlers that rejected with nobody listening.",
  },
} as const satisfies Record<string, MetricRow>;

/** Counted by itself; see there. */
const DURATIONS = "jobqueue_worker_job_duration_seconds";

type MetricName = keyof typeof METRICS;
type NamesOf<Type extends MetricRow["type"]> = {
  [Name in MetricName]: (typeof METRICS)[Name]["type"] extends Type ? Name : never;
}[MetricName];

/** The longest interval a timer can have, milliseconds. */
const NEVER_MS = 2 ** 31 - 1;

/** The metrics of one worker, in a registry of its own, each looked up by its name in the table. */
export class WorkerMetrics {
  readonly registry = new Registry();
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>();
  readonly #durations: DurationHistogram;

  constructor() {
    const { help: durationsHelp, buckets } = METRICS[DURATIONS];
    this.#durations = new DurationHistogram(DURATIONS, durationsHelp, buckets);
    this.registry.registerMetric(this.#durations as unknown as Metric);
    for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
      if (name === DURATIONS) continue;
      const base = { name, help: row.help, labelNames: [...(row.labels ?? [])], registers: [this.registry] };
      switch (row.type) {
        case "counter": {
          const counter = new Counter(base);
          for (const value of row.values ?? []) counter.inc({ [row.labels?.[0] ?? ""]: value }, 0);
          this.#metrics.set(name, counter);
          break;
        }
        case "gauge":
          this.#metrics.set(name, new Gauge(base));
          break;
        case "histogram":
          this.#metrics.set(name, new Histogram({ ...base, buckets: [...(row.buckets ?? [])] }));
          break;
      }
    }
  }

  /** Adds the metrics of the process (CPU, memory, garbage collection) to the scrape. */
  withProcessMetrics(): this {
    // Sampling the event loop every 10 ms, as prom-client would, was more than half of the CPU of an idle worker (bench/README.md,
    // B7). So no sample is taken, and what is made of samples is left out: our own longest block says what matters.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: NEVER_MS });
    for (const part of ["min", "max", "mean", "stddev", "p50", "p90", "p99"])
      this.registry.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`);
    return this;
  }

  count(name: NamesOf<"counter">, labels: Record<string, string> = {}, by = 1): void {
    (this.#metrics.get(name) as Counter).inc(labels, by);
  }

  set(name: NamesOf<"gauge">, value: number, labels: Record<string, string> = {}): void {
    (this.#metrics.get(name) as Gauge).set(labels, value);
  }

  /** How long a handler ran, seconds. Apart, because it is counted for every job. */
  observeDuration(queue: string, kind: string, seconds: number): void {
    this.#durations.observe(queue, kind, seconds);
  }

  observe(
    name: Exclude<NamesOf<"histogram">, typeof DURATIONS>,
    value: number,
    labels: Record<string, string> = {},
  ): void {
    (this.#metrics.get(name) as Histogram).observe(labels, value);
  }
}

/** What the admin server measures: one closed table. */
import type { MetricDefinition, Metrics } from "@jobqueue/operator/runtime";

/** The table. */
export const ADMIN_METRICS = {
  requests: {
    type: "histogram",
    name: "jobqueue_admin_request_seconds",
    help: "Time a request took, by operation and HTTP status",
    labels: ["operation", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  inFlight: {
    type: "gauge",
    name: "jobqueue_admin_requests_in_flight",
    help: "Requests that are being answered",
    labels: [],
  },
  refused: {
    type: "counter",
    name: "jobqueue_admin_refused_total",
    help: "Requests refused before they were looked at: overload (too many at once), cross_site, or host (a name that is not ours)",
    labels: ["reason"],
  },
  streams: { type: "gauge", name: "jobqueue_admin_live_streams", help: "Live views that are open", labels: [] },
  storeUp: {
    type: "gauge",
    name: "jobqueue_admin_store_up",
    help: "1 while the store answered this scrape; while it is 0 there are no series of queues",
    labels: [],
  },
  countedAt: {
    type: "gauge",
    name: "jobqueue_queue_items_counted_timestamp_seconds",
    help: "When the jobs of queues were counted, Unix time: older than the scrape where counting takes longer than anybody waits",
    labels: [],
  },
  queueSize: {
    type: "gauge",
    name: "jobqueue_queue_items_size",
    help: "Jobs of a queue by state: pending, scheduled, running, failed (waits for another attempt), deferred, dead, stale (of the running ones, those without a live worker); queue.items.size of Posit Connect",
    labels: ["queue", "state"],
  },
  queueAge: {
    type: "gauge",
    name: "jobqueue_queue_items_age_seconds",
    help: "How long the oldest pending job of a queue has been waiting, 0 when none is pending; queue.items.age of Posit Connect",
    labels: ["queue"],
  },
  queueActive: {
    type: "gauge",
    name: "jobqueue_queue_items_active",
    help: "Running jobs of a queue by the node, or host, of their worker",
    labels: ["queue", "hostname"],
  },
  queueActiveDuration: {
    type: "gauge",
    name: "jobqueue_queue_items_active_duration_seconds",
    help: "How long the job of a queue that has been running longest has been running, by the node, or host, of its worker; queue.items.active_duration of Posit Connect",
    labels: ["queue", "hostname"],
  },
  queuesLeftOut: {
    type: "gauge",
    name: "jobqueue_queues_left_out",
    help: "Queues without series of their own, because there are more than 1000",
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The live metrics. */
export type AdminMetrics = Metrics<typeof ADMIN_METRICS>;

import { registerMetrics, type MetricDefinition, type Metrics } from "../runtime/metrics.ts";
import type { Registry } from "prom-client";

const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/**
 * What the edge measures. Names as in client-go, component-base and controller-runtime where they have one; the
 * `reflector_` rows from `repaired` on, and `events_recorded_total`, are ours.
 */
export const KUBE_METRICS = {
  requests: {
    type: "counter",
    name: "rest_client_requests_total",
    help: "Requests to the API server by answer",
    labels: ["code", "method"],
  },
  requestSeconds: {
    type: "histogram",
    name: "rest_client_request_duration_seconds",
    help: "Time until the answer was read (watches: until it began)",
    labels: ["verb"],
    buckets: REQUEST_SECONDS,
  },
  requestRetries: {
    type: "counter",
    name: "rest_client_request_retries_total",
    help: "Requests repeated because the server said Retry-After or dropped an idle connection",
    labels: ["code", "verb"],
  },
  rateLimiterSeconds: {
    type: "histogram",
    name: "rest_client_rate_limiter_duration_seconds",
    help: "Time writes waited for our own token bucket",
    labels: ["verb"],
    buckets: REQUEST_SECONDS,
  },
  lists: { type: "counter", name: "reflector_lists_total", help: "Full lists", labels: ["name"] },
  watches: { type: "counter", name: "reflector_watches_total", help: "Watches opened", labels: ["name"] },
  shortWatches: {
    type: "counter",
    name: "reflector_short_watches_total",
    help: "Watches that ended within a second without an event",
    labels: ["name"],
  },
  repaired: {
    type: "counter",
    name: "reflector_repaired_total",
    help: "Objects that the hourly comparison found different from the cache: 0 means the watch has not lied",
    labels: ["name"],
  },
  failures: {
    type: "counter",
    name: "reflector_failures_total",
    help: "Lists and watches that failed, by reason",
    labels: ["name", "reason"],
  },
  handlerErrors: {
    type: "counter",
    name: "reflector_handler_errors_total",
    help: "Change handlers that threw",
    labels: ["name"],
  },
  progressAge: {
    type: "gauge",
    name: "reflector_progress_age_seconds",
    help: "Time since the API server last showed that the cache is current",
    labels: ["name"],
  },
  leader: {
    type: "gauge",
    name: "leader_election_master_status",
    help: "1 while this process leads",
    labels: ["name"],
  },
  leaderSlowPath: {
    type: "counter",
    name: "leader_election_slowpath_total",
    help: "Renewals that had to read the lease first",
    labels: ["name"],
  },
  events: {
    type: "counter",
    name: "events_recorded_total",
    help: "Kubernetes events by what became of them",
    labels: ["result"],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The edge's metrics in a registry. */
export type KubeMetrics = Metrics<typeof KUBE_METRICS>;

/** Makes (or finds) the edge's metrics in a registry. */
export const kubeMetrics = (registry: Registry): KubeMetrics => registerMetrics(registry, KUBE_METRICS);

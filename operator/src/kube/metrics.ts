import type { Registry } from "prom-client";
import { counter, gauge, registerMetrics, seconds, type MetricDefinition, type Metrics } from "../runtime/metrics.ts";

/**
 * What the edge measures. Names as in client-go, component-base and controller-runtime where they have one; the
 * `reflector_` rows from `repaired` on, and `events_recorded_total`, are ours.
 */
export const KUBE_METRICS = {
  requests: counter("rest_client_requests_total", "Requests to the API server by answer", "code", "method"),
  requestSeconds: seconds(
    "rest_client_request_duration_seconds",
    "Time until the answer was read, or a watch began",
    "verb",
  ),
  requestRetries: counter(
    "rest_client_request_retries_total",
    "Requests repeated: the server said Retry-After, dropped an idle connection, or refused an old token",
    "code",
    "verb",
  ),
  rateLimiterSeconds: seconds(
    "rest_client_rate_limiter_duration_seconds",
    "Time writes waited for our own bucket",
    "verb",
  ),
  lists: counter("reflector_lists_total", "Full lists", "name"),
  watches: counter("reflector_watches_total", "Watches opened", "name"),
  shortWatches: counter("reflector_short_watches_total", "Watches that ended within a second without an event", "name"),
  repaired: counter(
    "reflector_repaired_total",
    "Objects that the hourly comparison found different from the cache: while 0, the watch has not lied",
    "name",
  ),
  failures: counter("reflector_failures_total", "Lists and watches that failed, by reason", "name", "reason"),
  handlerErrors: counter("reflector_handler_errors_total", "Change handlers that threw", "name"),
  progressAge: gauge(
    "reflector_progress_age_seconds",
    "Time since the API server last showed that the cache is current",
    "name",
  ),
  leader: gauge("leader_election_master_status", "1 while this process leads", "name"),
  leaderSlowPath: counter("leader_election_slowpath_total", "Renewals that had to read the lease first", "name"),
  events: counter("events_recorded_total", "Kubernetes events by what became of them", "result"),
} as const satisfies Record<string, MetricDefinition>;

/** The edge's metrics in a registry. */
export type KubeMetrics = Metrics<typeof KUBE_METRICS>;

/** Makes (or finds) the edge's metrics in a registry. */
export const kubeMetrics = (registry: Registry): KubeMetrics => registerMetrics(registry, KUBE_METRICS);

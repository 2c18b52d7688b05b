import { type Attributes, metrics, type Observable } from "@opentelemetry/api";
import { flushTelemetry } from "./flush-telemetry.ts";
import { SCOPE } from "./tracer.ts";

/**
 * Metrics by OTLP: an SDK that is loaded in the process finds what `/metrics` shows, under the same names and with the same
 * labels, as observable instruments. They are read from the same registry when the SDK collects, so there is one count of
 * everything, and without an SDK nobody ever asks.
 *
 * A gauge is an observable gauge, a counter an observable counter. The API has no observable histogram: a histogram becomes
 * what Prometheus makes of it, the counters `_bucket` (with the label `le`, cumulative), `_sum` and `_count`.
 *
 * A series of a gauge that is gone (of a queue that was deleted, a reason that holds no more) is shown as 0 from then on: the
 * SDK for JavaScript goes on sending the last value of what is not observed any more, for ever, where Prometheus forgets it.
 */

/** A registry of metrics (that of prom-client), as far as this reads it. */
export interface MetricsRegistry {
  getMetricsAsArray(): readonly object[];
  getMetricsAsJSON(): Promise<readonly object[]>;
}

/** One metric of the registry; the library's types know less than it gives. */
interface MetricRead {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly values?: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    /** Of a histogram: which of its three. */
    readonly metricName?: string;
  }[];
}

/** How metrics are shown. */
export interface ShareMetricsOptions {
  /** Brings those up to date that are set only when somebody looks. */
  readonly measure?: () => void | Promise<void>;
  /** Gauges of which 0 would be a statement: when a series of one is gone it has no number (NaN). */
  readonly notZero?: readonly string[];
}

/** How long the last collection may take when the process ends, milliseconds. */
const FLUSH_TIMEOUT_MS = 2_000;

/**
 * Shows the metrics of a registry to the SDK, from now on; those that it has now. Returns how to end it: the SDK sends what it
 * has, spans too, and sees them no more.
 */
export function shareMetrics(
  registry: MetricsRegistry,
  { measure = () => {}, notZero = [] }: ShareMetricsOptions = {},
): () => Promise<void> {
  const meter = metrics.getMeter(SCOPE);
  const instruments = new Map<string, Observable>();
  for (const { name, help: description, type } of registry.getMetricsAsArray() as MetricRead[]) {
    if (type === "gauge") instruments.set(name, meter.createObservableGauge(name, { description }));
    else if (type === "counter") instruments.set(name, meter.createObservableCounter(name, { description }));
    else {
      for (const part of ["bucket", "sum", "count"].map((end) => `${name}_${end}`))
        instruments.set(part, meter.createObservableCounter(part, { description }));
    }
  }
  const observables = [...instruments.values()];
  const gauges = new Map<string, { readonly name: string; readonly attributes: Attributes }>();
  const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = async (result) => {
    await measure();
    const gone = new Map(gauges);
    for (const { name, type, values = [] } of (await registry.getMetricsAsJSON()) as MetricRead[]) {
      for (const { metricName, value, labels } of values) {
        const instrument = instruments.get(metricName ?? name);
        if (instrument === undefined) continue;
        const attributes = attributesOf(labels);
        result.observe(instrument, value, attributes);
        if (type !== "gauge") continue;
        const series = JSON.stringify([name, attributes]);
        gauges.set(series, { name, attributes });
        gone.delete(series);
      }
    }
    for (const { name, attributes } of gone.values()) {
      const instrument = instruments.get(name);
      if (instrument !== undefined) result.observe(instrument, notZero.includes(name) ? Number.NaN : 0, attributes);
    }
  };
  meter.addBatchObservableCallback(observe, observables);
  return async () => {
    await flushTelemetry(FLUSH_TIMEOUT_MS);
    meter.removeBatchObservableCallback(observe, observables);
  };
}

/** Labels as Prometheus shows them: texts, also the bounds of buckets. */
function attributesOf(labels: Readonly<Record<string, string | number>>): Attributes {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}

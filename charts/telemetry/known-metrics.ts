import { ADMIN_METRICS } from "@jobqueue/admin";
import { KUBE_METRICS, OPERATOR_METRICS, RUNTIME_METRICS } from "@jobqueue/operator";
import { METRICS } from "@jobqueue/worker";
import { metricsIn } from "./promql-names.ts";

/** Labels that the one who scrapes adds to every series. */
const OF_THE_TARGET = ["namespace", "pod", "instance", "job"];
/** Series that Prometheus makes itself. */
const OF_PROMETHEUS = new Set(["ALERTS"]);

/** The labels of every series of the closed tables, by its name; a histogram has its three. */
function knownSeries(): Map<string, readonly string[]> {
  const rows = [
    ...Object.entries(METRICS).map(([name, row]) => ({ name, ...row })),
    ...[ADMIN_METRICS, KUBE_METRICS, OPERATOR_METRICS, RUNTIME_METRICS].flatMap((table) => Object.values(table)),
  ] as readonly { readonly name: string; readonly type: string; readonly labels?: readonly string[] }[];
  return new Map(
    rows.flatMap(({ name, type, labels = [] }): [string, readonly string[]][] =>
      type === "histogram"
        ? [
            [`${name}_bucket`, [...labels, "le"]],
            [`${name}_sum`, labels],
            [`${name}_count`, labels],
          ]
        : [[name, labels]],
    ),
  );
}

/** What an expression names that no table of metrics has, in words; empty when all of it exists. */
export function unknownIn(expr: string): string[] {
  const series = knownSeries();
  return metricsIn(expr).flatMap(({ metric, labels }) => {
    if (OF_PROMETHEUS.has(metric)) return [];
    const known = series.get(metric);
    if (!known) return [metric];
    return labels
      .filter((label) => ![...known, ...OF_THE_TARGET].includes(label))
      .map((label) => `${metric}{${label}}`);
  });
}

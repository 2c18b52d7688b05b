import { setImmediate as othersTurn } from "node:timers/promises";
import type { Registry } from "prom-client";
import { LiveGauge, type Series } from "./live-gauge.ts";

/** So many series are written before others have their turn: one or two milliseconds. */
const SERIES_PER_PIECE = 1_000;

/**
 * All metrics of a registry in the text format of Prometheus, in pieces. Between two of them the event loop turns: a scrape of
 * hundreds of thousands of series holds nothing else up, and is never in memory as a whole. A piece may show what is
 * younger than the piece before it.
 */
export async function* exposition(registry: Registry): AsyncGenerator<string, void, undefined> {
  for (const metric of registry.getMetricsAsArray()) {
    const series = metric instanceof LiveGauge ? metric.live : undefined;
    if (series === undefined) yield `${await registry.getSingleMetricAsString(metric.name)}\n\n`;
    else {
      yield `# HELP ${metric.name} ${escaped(metric.help)}\n# TYPE ${metric.name} gauge\n`;
      for (const piece of pieces(metric.name, series)) {
        yield piece;
        await othersTurn();
      }
      yield "\n";
    }
  }
}

function* pieces(name: string, series: Iterable<Series>): Generator<string> {
  let text = "";
  let count = 0;
  for (const { labels, value } of series) {
    text += `${name}{${labelsText(labels)}} ${valueText(value)}\n`;
    count += 1;
    if (count % SERIES_PER_PIECE > 0) continue;
    yield text;
    text = "";
  }
  if (text !== "") yield text;
}

function labelsText(labels: Series["labels"]): string {
  let text = "";
  for (const name in labels) text += `${text === "" ? "" : ","}${name}="${escaped(labels[name] ?? "", true)}"`;
  return text;
}

/** Of a help text, or of a label's value, where a quote would end it. Hardly any has something to escape. */
function escaped(text: string, isLabel = false): string {
  if (!/[\\\n"]/.test(text)) return text;
  const lines = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return isLabel ? lines.replaceAll('"', '\\"') : lines;
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

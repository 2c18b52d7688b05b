import type { Series } from "./answers.ts";
import { ask } from "./api.ts";
import { chart } from "./chart.ts";
import type { ChartPoint } from "./chart-scale.ts";
import { h, put } from "./dom.ts";
import { count, instant, relative, span } from "./format.ts";
import { failure, loading } from "./notices.ts";
import { serverNow } from "./ticking.ts";

const MINUTE_MS = 60_000;
const REFRESH_MS = 15_000;

/** The charts of one queue, or of all: depth, oldest age, throughput and latency of the last hour; kept fresh until the signal ends. */
export function seriesCharts(queue: string | undefined, signal: AbortSignal): HTMLElement {
  const root = h("section", { class: "charts", "aria-label": "Charts of the last hour" }, loading("charts"));
  const draw = async (): Promise<void> => {
    try {
      const series = await ask<Series>("GET", "api/v1/series", { query: { queue }, signal });
      // Whoever reads the numbers of a chart is not interrupted, and whoever is about to open them finds them.
      if (root.querySelector("details[open]") !== null) return;
      const summaries = (): HTMLElement[] => [...root.querySelectorAll("summary")];
      const focused = summaries().indexOf(document.activeElement as HTMLElement);
      put(root, ...chartsOf(series, queue));
      summaries()[focused]?.focus();
    } catch (error) {
      if (!signal.aborted) put(root, failure(error));
    }
  };
  void draw();
  const timer = setInterval(() => {
    if (!document.hidden) void draw();
  }, REFRESH_MS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
  });
  return root;
}

function chartsOf(series: Series, queue: string | undefined): HTMLElement[] {
  const toMs = serverNow();
  const frame = { fromMs: toMs - series.minutes * MINUTE_MS, toMs };
  const steps = { ...frame, breakMs: 3 * series.stepSeconds * 1000 };
  const minutes = { ...frame, breakMs: 1.5 * MINUTE_MS };
  return [
    ...remarks(series, toMs),
    chart({
      ...steps,
      title: "Depth",
      words: count,
      lines: [
        { name: "pending", points: depthOf(series, ({ pending }) => pending, plus) },
        { name: "running", points: depthOf(series, ({ running }) => running, plus) },
      ],
    }),
    chart({
      ...steps,
      title: "Oldest pending job",
      words: (seconds) => span(seconds * 1000),
      lines: [{ name: "age", points: depthOf(series, (point) => point.oldestPendingSeconds ?? 0, Math.max) }],
    }),
    chart({
      ...minutes,
      title: "Ended per minute",
      words: count,
      lines: [
        { name: "completed", points: endedOf(series, toMs, ({ completed }) => completed, plus, 0) },
        { name: "dead", points: endedOf(series, toMs, ({ dead }) => dead, plus, 0) },
      ],
    }),
    chart({
      ...minutes,
      title: queue === undefined ? "Time in the handler, of the slowest queue" : "Time in the handler",
      words: span,
      lines: [
        { name: "median", points: endedOf(series, toMs, ({ p50Ms }) => p50Ms, greater, null) },
        { name: "95 of 100", points: endedOf(series, toMs, ({ p95Ms }) => p95Ms, greater, null) },
      ],
    }),
  ];
}

/** What whoever reads the charts must know: since when depths are known, and how old the rest is. */
function remarks({ depth, endedAt, minutes }: Series, toMs: number): HTMLElement[] {
  const since = Math.min(...depth.map(({ points }) => Date.parse(points[0]?.at ?? "")).filter((at) => at > 0));
  const texts = [
    since > toMs - (minutes - 1) * MINUTE_MS &&
      since < Infinity &&
      `Depth and age are known since ${instant(new Date(since).toISOString()).slice(11, 16)}, when this admin server began to look.`,
    endedAt === null && "The store has a long history and is still reading it: what ended comes later.",
    endedAt !== null &&
      toMs - Date.parse(endedAt) > 2 * MINUTE_MS &&
      `The store takes long to read its history: what ended is of ${relative(endedAt, toMs)}.`,
  ].filter((text) => text !== false);
  return texts.length === 0 ? [] : [h("p", { class: "hint whole" }, texts.join(" "))];
}

type Depth = Series["depth"][number]["points"][number];
type Ended = Series["ended"][number];
const plus = (a: number, b: number): number => a + b;
const greater = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

/** Depths of all queues as one line: samples are of one instant each. */
function depthOf(
  { depth }: Series,
  of: (point: Depth) => number,
  join: (a: number, b: number) => number,
): readonly ChartPoint[] {
  const joined = new Map<number, number>();
  for (const point of depth.flatMap(({ points }) => points)) {
    const atMs = Date.parse(point.at);
    const before = joined.get(atMs);
    joined.set(atMs, before === undefined ? of(point) : join(before, of(point)));
  }
  return [...joined].toSorted(([a], [b]) => a - b).map(([atMs, value]) => ({ atMs, value }));
}

/** Whole minutes of all queues as one line; `otherwise` is the value of a minute in which nothing ended. */
function endedOf<V extends number | null>(
  { ended, minutes }: Series,
  toMs: number,
  of: (minute: Ended) => V,
  join: (a: V, b: V) => V,
  otherwise: V,
): readonly ChartPoint[] {
  const joined = new Map<number, V>();
  for (const row of ended) {
    const atMs = Date.parse(row.minute);
    const before = joined.get(atMs);
    joined.set(atMs, before === undefined ? of(row) : join(before, of(row)));
  }
  // The minute that is not over would look like a drop.
  const last = Math.floor(toMs / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  return Array.from({ length: minutes - 1 }, (_, index) => {
    const atMs = last - (minutes - 2 - index) * MINUTE_MS;
    return { atMs, value: joined.get(atMs) ?? otherwise };
  });
}

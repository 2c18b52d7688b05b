import { type ChartPoint, type Frame, linePath, niceMarks, xOf, yOf } from "./chart-scale.ts";
import { h, s } from "./dom.ts";
import { instant } from "./format.ts";

/** A line of a chart. */
interface ChartLine {
  readonly name: string;
  readonly points: readonly ChartPoint[];
}

interface ChartOptions {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly fromMs: number;
  readonly toMs: number;
  /** A value in words. */
  readonly words: (value: number) => string;
  /** Points further apart than this are not connected. */
  readonly breakMs: number;
}

const WIDTH = 560;
const HEIGHT = 160;
const LEFT = 88;
const BOTTOM = 24;

/**
 * A chart as SVG. Lines differ by dash as well as by colour; who cannot see it gets the latest and highest values in words, and
 * everybody the numbers as a table.
 */
export function chart({ title, lines, fromMs, toMs, words, breakMs }: ChartOptions): HTMLElement {
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => (value === null ? [] : [value])));
  const marks = niceMarks(Math.max(0, ...values));
  const frame: Frame = { width: WIDTH, height: HEIGHT, fromMs, toMs, highest: marks.at(-1) ?? 1 };
  const picture = s(
    "svg",
    {
      viewBox: `0 -10 ${LEFT + WIDTH + 10} ${HEIGHT + BOTTOM + 10}`,
      role: "img",
      "aria-label": `${title}. ${lines.map((line) => inWords(line, words)).join(" ")}`,
    },
    s(
      "g",
      { transform: `translate(${LEFT} 0)` },
      ...marks.map((mark) =>
        s("line", { class: "mark", x1: 0, x2: WIDTH, y1: yOf(frame, mark), y2: yOf(frame, mark) }),
      ),
      ...marks.map((mark) => s("text", { class: "axis end", x: -6, y: yOf(frame, mark) + 4 }, words(mark))),
      ...timeMarks(frame),
      ...lines.map(({ points }, index) =>
        s("path", { class: `line line-${index}`, d: linePath(frame, points, breakMs) }),
      ),
    ),
  );
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("strong", {}, title), ...lines.map(({ name }, index) => legend(name, index))),
    values.length === 0 ? h("p", { class: "loading" }, "No values in the last hour yet.") : picture,
    values.length > 0 && numbers(lines, words),
  );
}

function legend(name: string, index: number): HTMLElement {
  const line = s("path", { class: `line line-${index}`, d: "M0 5h28" });
  return h("span", { class: "legend" }, s("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" }, line), name);
}

function timeMarks(frame: Frame): SVGElement[] {
  return [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const atMs = frame.fromMs + part * (frame.toMs - frame.fromMs);
    const place = part === 0 ? "start" : part === 1 ? "end" : "middle";
    const text = instant(new Date(atMs).toISOString()).slice(11, 16);
    return s("text", { class: `axis ${place}`, x: xOf(frame, atMs), y: HEIGHT + 18 }, text);
  });
}

function inWords({ name, points }: ChartLine, words: (value: number) => string): string {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const latest = values.at(-1);
  if (latest === undefined) return `${name}: no values.`;
  return `${name}: ${words(latest)} at last, ${words(Math.max(...values))} at most.`;
}

/** The numbers behind the lines, a row a minute at most; made when somebody opens it. */
function numbers(lines: readonly ChartLine[], words: (value: number) => string): HTMLElement {
  const details = h("details", {}, h("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const byMinute = new Map<number, (number | null)[]>();
    for (const [index, { points }] of lines.entries()) {
      for (const { atMs, value } of points) {
        const minute = Math.floor(atMs / 60_000) * 60_000;
        const row = byMinute.get(minute) ?? lines.map(() => null);
        row[index] = value;
        byMinute.set(minute, row);
      }
    }
    const rows = [...byMinute]
      .toSorted(([a], [b]) => b - a)
      .map(([minute, values]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, instant(new Date(minute).toISOString()).slice(0, 16)),
          ...values.map((value) => h("td", { class: "numeric" }, value === null ? "–" : words(value))),
        ),
      );
    const head = ["Time", ...lines.map(({ name }) => name)].map((text) => h("th", { scope: "col" }, text));
    details.append(
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Numbers of the chart" },
        h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
      ),
    );
  });
  return details;
}

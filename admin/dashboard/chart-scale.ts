/** Geometry of charts. Pure. */

/** A point: milliseconds since 1970, and a value; null is a gap. */
export interface ChartPoint {
  readonly atMs: number;
  readonly value: number | null;
}

/** The upper end of an axis and its marks: 1, 2 or 5 times a power of ten, at most five steps. */
export function niceMarks(highest: number): readonly number[] {
  if (!(highest > 0)) return [0, 1];
  const rough = highest / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const marks = [];
  for (let n = 0; n <= Math.ceil(highest / step - 1e-9); n++) marks.push(Number((n * step).toPrecision(12)));
  return marks;
}

/** Where things are in a chart. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly highest: number;
}

/** The x of an instant. */
export const xOf = ({ width, fromMs, toMs }: Frame, atMs: number): number =>
  ((atMs - fromMs) / (toMs - fromMs)) * width;

/** The y of a value; 0 is at the bottom. */
export const yOf = ({ height, highest }: Frame, value: number): number => height - (value / highest) * height;

/** A line through points as an SVG path; a gap, or a time longer than `breakMs` between two points, interrupts it. */
export function linePath(frame: Frame, points: readonly ChartPoint[], breakMs: number): string {
  let path = "";
  let lastMs: number | undefined;
  for (const { atMs, value } of points) {
    if (value === null || atMs < frame.fromMs || atMs > frame.toMs) {
      lastMs = undefined;
      continue;
    }
    const connected = lastMs !== undefined && atMs - lastMs <= breakMs;
    path += `${connected ? "L" : "M"}${xOf(frame, atMs).toFixed(1)} ${yOf(frame, value).toFixed(1)}`;
    // A lone point is seen too: a line of no length with round ends.
    if (!connected) path += "h0";
    lastMs = atMs;
  }
  return path;
}

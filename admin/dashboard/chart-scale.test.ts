import { describe, expect, it } from "vitest";
import { linePath, niceMarks, yOf } from "./chart-scale.ts";

const frame = { width: 100, height: 50, fromMs: 0, toMs: 1000, highest: 10 };

describe("a chart", () => {
  it.each([
    [0, [0, 1]],
    [7, [0, 2, 4, 6, 8]],
    [100, [0, 50, 100]],
    [1234, [0, 500, 1000, 1500]],
    [0.3, [0, 0.1, 0.2, 0.3]],
  ])("of values up to %d has the marks %j", (highest, marks) => {
    expect(niceMarks(highest)).toEqual(marks);
  });

  it("has zero at the bottom", () => {
    expect([yOf(frame, 0), yOf(frame, 10)]).toEqual([50, 0]);
  });

  it("shows a time without answers as a gap, not as a line across it", () => {
    const points = [
      { atMs: 0, value: 0 },
      { atMs: 100, value: 10 },
      { atMs: 900, value: 5 },
      { atMs: 950, value: null },
      { atMs: 1000, value: 5 },
    ];
    expect(linePath(frame, points, 200)).toBe("M0.0 50.0h0L10.0 0.0M90.0 25.0h0M100.0 25.0h0");
  });
});

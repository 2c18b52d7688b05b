import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roundedCount } from "./rounded-count.ts";

describe("roundedCount", () => {
  it.each([
    [0, 0],
    [20, 20],
    [21, 21],
    [99, 99],
    [104, 100],
    [1234, 1200],
    [36_015, 36_000],
    [99_951, 100_000],
  ])("shows %i as %i", (count, shown) => {
    expect(roundedCount(count)).toBe(shown);
  });

  it("is zero only for zero, and rounding twice changes nothing", () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000_000 }), (count) => {
        expect(roundedCount(count) === 0).toBe(count === 0);
        expect(roundedCount(roundedCount(count))).toBe(roundedCount(count));
        expect(Math.abs(roundedCount(count) - count)).toBeLessThanOrEqual(count * 0.05);
      }),
    );
  });
});

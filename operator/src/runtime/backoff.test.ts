import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoff", () => {
  it.for([
    { failures: 1, ms: 5 },
    { failures: 2, ms: 10 },
    { failures: 3, ms: 20 },
    { failures: 18, ms: 655_360 },
    { failures: 19, ms: 1_000_000 },
    { failures: 5000, ms: 1_000_000 },
  ])("after $failures failures the delay is $ms ms (client-go's numbers)", ({ failures, ms }) => {
    expect(backoffMs({ baseMs: 5, maxMs: 1_000_000 }, failures)).toBe(ms);
  });

  it.for([
    { random: 0, ms: 800 },
    { random: 0.5, ms: 600 },
    { random: 1, ms: 400 },
  ])("jitter takes its share off the delay: random $random gives $ms ms", ({ random, ms }) => {
    expect(backoffMs({ baseMs: 800, maxMs: 30_000, jitter: 0.5 }, 1, () => random)).toBe(ms);
  });

  it("never leaves its bounds and never shrinks with more failures", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const policy = { baseMs: 10, maxMs: 5000, jitter: 0.5 };
        const ms = backoffMs(policy, failures, () => random);
        expect(ms).toBeGreaterThanOrEqual(5);
        expect(ms).toBeLessThanOrEqual(5000);
        expect(backoffMs(policy, failures + 1, () => random)).toBeGreaterThanOrEqual(ms);
      }),
    );
  });
});

import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

const policy = { baseMs: 100, maxMs: 5_000 };

describe("the wait between tries", () => {
  it.each([
    { failures: 1, random: 0, wait: 50 },
    { failures: 1, random: 1, wait: 100 },
    { failures: 2, random: 1, wait: 200 },
    { failures: 4, random: 1, wait: 800 },
    { failures: 7, random: 1, wait: 5_000 },
    { failures: 10_000, random: 1, wait: 5_000 },
    { failures: 10_000, random: 0, wait: 2_500 },
  ])("is $wait ms after $failures failures when chance says $random", ({ failures, random, wait }) => {
    expect(backoffMs(policy, failures, random)).toBe(wait);
  });
});

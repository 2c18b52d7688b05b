import { describe, expect, it } from "vitest";
import { FinishRate } from "./finish-rate.ts";

describe("the rate at which jobs finish", () => {
  it("is zero before the first finish", () => {
    expect(new FinishRate().perMs(5_000)).toBe(0);
  });

  it("settles at the true rate of a steady stream", () => {
    const rate = new FinishRate();
    for (let at = 0; at <= 10_000; at += 5) rate.add(1, at); // 200 a second
    expect(rate.perMs(10_000)).toBeGreaterThan(0.195);
    expect(rate.perMs(10_000)).toBeLessThan(0.205);
  });

  it("falls when the jobs become slow", () => {
    const rate = new FinishRate();
    rate.add(1_000, 0);
    expect(rate.perMs(0)).toBe(1);
    expect(rate.perMs(1_000)).toBeCloseTo(0.368, 3);
    expect(rate.perMs(10_000)).toBeLessThan(0.0001);
  });
});

import { describe, expect, it } from "vitest";
import { leaseMarginMs, renewalIntervalMs, renewalRetryMs, trustedUntilMs } from "./trust-window.ts";

describe("the trust window of a lease", () => {
  it.each([
    { sentAtMs: 0, leaseMs: 30_000, until: 25_000 },
    { sentAtMs: 1_000, leaseMs: 30_000, until: 26_000 },
    { sentAtMs: 0, leaseMs: 2_000, until: 1_600 },
    { sentAtMs: 0, leaseMs: 3_600_000, until: 3_595_000 },
  ])("of $leaseMs ms sent at $sentAtMs ends at $until", ({ sentAtMs, leaseMs, until }) => {
    expect(trustedUntilMs({ sentAtMs, leaseMs })).toBe(until);
  });

  it.each([2_000, 3_000, 30_000, 300_000])("of %i ms survives two renewals that fail", (leaseMs) => {
    expect(2 * renewalIntervalMs(leaseMs)).toBeLessThan(leaseMs - leaseMarginMs(leaseMs));
  });

  it("is retried several times within the margin that is left after a failure", () => {
    expect(renewalRetryMs(30_000, 1)).toBe(2_000);
    expect(renewalRetryMs(3_000, 1)).toBe(200);
    expect(renewalRetryMs(3_000, 0)).toBe(100);
  });
});

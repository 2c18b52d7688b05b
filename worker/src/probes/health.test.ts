import { describe, expect, it } from "vitest";
import { type HealthView, liveness, readiness } from "./health.ts";

const fine: HealthView = {
  draining: false,
  leaseTrusted: true,
  claimLoopAgeMs: 10,
  claimsFailForMs: 0,
  watchdogAgeMs: 10,
  slotsTotal: 4,
  slotsStuck: 0,
  hungAfterMs: 60_000,
};

describe("a worker", () => {
  it.each([
    { situation: "all well", view: {}, live: true, ready: true },
    { situation: "the store away", view: { leaseTrusted: false }, live: true, ready: false },
    { situation: "draining", view: { draining: true }, live: true, ready: false },
    { situation: "some slots stuck", view: { slotsStuck: 3 }, live: true, ready: true },
    { situation: "all slots stuck", view: { slotsStuck: 4 }, live: false, ready: false },
    { situation: "draining with all slots stuck", view: { slotsStuck: 4, draining: true }, live: true, ready: false },
    { situation: "a claim loop that stands still", view: { claimLoopAgeMs: 60_000 }, live: false, ready: false },
    { situation: "claims that failed for a moment", view: { claimsFailForMs: 59_000 }, live: true, ready: true },
    { situation: "claims that fail for long", view: { claimsFailForMs: 60_000 }, live: true, ready: false },
    {
      situation: "claims that failed, draining",
      view: { claimsFailForMs: 60_000, draining: true },
      live: true,
      ready: false,
    },
    { situation: "a watchdog that stands still", view: { watchdogAgeMs: 60_000 }, live: false, ready: true },
  ])("with $situation is live $live and ready $ready", ({ view, live, ready }) => {
    expect(liveness({ ...fine, ...view }).ok).toBe(live);
    expect(readiness({ ...fine, ...view }).ok).toBe(ready);
  });

  it("says why it is not ready", () => {
    expect(readiness({ ...fine, draining: true, leaseTrusted: false }).problems).toEqual([
      "draining",
      "no lease: the store does not answer, or refuses the worker",
    ]);
  });
});

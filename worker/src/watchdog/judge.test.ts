import { describe, expect, it } from "vitest";
import { judge, limitsTold, type WatchdogView } from "./judge.ts";

const limits = { loopStallBudgetMs: 30_000, hungAfterMs: 60_000 };
const healthy: WatchdogView = {
  nowMs: 100_000,
  loopTickMs: 99_900,
  slotsTotal: 10,
  slotsStuck: 0,
  claimLoopTickMs: 99_900,
  draining: false,
};

describe("the watchdog", () => {
  it.each([
    { situation: "a loop that turns", view: {}, renew: true, hung: /^not hung$/ },
    {
      situation: "a loop blocked for less than the budget",
      view: { loopTickMs: 70_001 },
      renew: true,
      hung: /^not hung$/,
    },
    { situation: "a loop blocked for the budget", view: { loopTickMs: 70_000 }, renew: false, hung: /^not hung$/ },
    {
      situation: "a loop blocked for good",
      view: { loopTickMs: 40_000 },
      renew: false,
      hung: /event loop has been blocked for 60\.0 s/,
    },
    {
      situation: "a loop blocked for good while draining",
      view: { loopTickMs: 40_000, draining: true },
      renew: false,
      hung: /event loop/,
    },
    { situation: "nine of ten slots stuck", view: { slotsStuck: 9 }, renew: true, hung: /^not hung$/ },
    { situation: "all slots stuck", view: { slotsStuck: 10 }, renew: true, hung: /all 10 slots are stuck/ },
    {
      situation: "all slots stuck while draining",
      view: { slotsStuck: 10, draining: true },
      renew: true,
      hung: /^not hung$/,
    },
    {
      situation: "a claim loop that has not started yet",
      view: { claimLoopTickMs: 0 },
      renew: true,
      hung: /^not hung$/,
    },
    {
      situation: "a claim loop that waits for an answer",
      view: { claimLoopTickMs: 40_001 },
      renew: true,
      hung: /^not hung$/,
    },
    {
      situation: "a claim loop that stands still",
      view: { claimLoopTickMs: 40_000 },
      renew: true,
      hung: /claim loop has stood still for 60\.0 s/,
    },
  ])("judges $situation", ({ view, renew, hung }) => {
    const verdict = judge({ ...healthy, ...view }, limits);
    expect(verdict.renew).toBe(renew);
    expect(verdict.hung ?? "not hung").toMatch(hung);
  });

  it("goes by what the store tells the pool, and keeps its distance between giving up the lease and ending the process", () => {
    expect(limitsTold(limits, 300_000)).toEqual({ loopStallBudgetMs: 300_000, hungAfterMs: 330_000 });
    expect(limitsTold(limits, undefined)).toEqual(limits);
  });
});

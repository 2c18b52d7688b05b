import { describe, expect, it } from "vitest";
import { ManualClock } from "../runtime/testing/manual-clock.ts";
import { RunningTerm } from "./term.ts";

function termOf() {
  const clock = new ManualClock();
  const term = new RunningTerm({ clock, trustMs: 10_000, fence: 5, transitions: 1 });
  term.trustFrom(clock.now(), clock.wall());
  return { clock, term };
}

describe("authority", () => {
  it("lasts from the start of the renewal, not from its answer", async () => {
    const { clock, term } = termOf();
    const began = [clock.now(), clock.wall()] as const;
    await clock.advance(4000); // the answer takes its time
    term.trustFrom(...began);
    await clock.advance(5999);
    expect(term.isCurrent()).toBe(true);
    await clock.advance(1);
    expect(term.isCurrent()).toBe(false);
    expect(term.lost.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it("is gone after the process stood still, before any timer has run", () => {
    const { clock, term } = termOf();
    clock.freeze(10_000);
    expect(term.lost.aborted).toBe(false); // nobody has been told yet,
    expect(term.isCurrent()).toBe(false); // but who asks, knows
  });

  it("is gone after the machine was suspended, when only the wall clock went on", () => {
    const { clock, term } = termOf();
    clock.jumpWall(10_000);
    expect(term.isCurrent()).toBe(false);
  });

  it("does not end when somebody sets the wall clock back", () => {
    const { clock, term } = termOf();
    clock.jumpWall(-3_600_000);
    expect(term.isCurrent()).toBe(true);
  });

  it("once lost does not come back, and the first reason counts", async () => {
    const { clock, term } = termOf();
    term.lose("somebody else holds the lease");
    term.lose("later");
    term.trustFrom(clock.now(), clock.wall());
    expect(term.isCurrent()).toBe(false);
    expect(term.lostBecause).toBe("somebody else holds the lease");
    expect(term.ending.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it("remains while the term ends in good order", () => {
    const { term } = termOf();
    term.end();
    expect(term.ending.aborted).toBe(true);
    expect(term.lost.aborted).toBe(false);
    expect(term.isCurrent()).toBe(true);
    term.lose("over");
  });
});

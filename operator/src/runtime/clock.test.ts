import { describe, expect, it } from "vitest";
import { sleep, systemClock } from "./clock.ts";
import { ManualClock } from "./testing/manual-clock.ts";

describe("sleep", () => {
  it("resolves with true when the time has passed, and not earlier", async () => {
    const clock = new ManualClock();
    let woke: boolean | undefined;
    void sleep(clock, 1000).then((passed) => (woke = passed));
    await clock.advance(999);
    expect(woke).toBeUndefined();
    await clock.advance(1);
    expect(woke).toBe(true);
  });

  it("resolves with false as soon as the signal aborts, and leaves no timer behind", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const sleeping = sleep(clock, 1000, stop.signal);
    stop.abort();
    await expect(sleeping).resolves.toBe(false);
    expect(clock.timers).toBe(0);
  });

  it("does not begin when the signal has aborted already", async () => {
    const clock = new ManualClock();
    await expect(sleep(clock, 1000, AbortSignal.abort())).resolves.toBe(false);
    expect(clock.timers).toBe(0);
  });
});

describe("the system clock", () => {
  it("does not fire at once for delays beyond what a timer of Node can hold", async () => {
    let fired = false;
    const cancel = systemClock.after(2 ** 40, () => (fired = true));
    await sleep(systemClock, 5);
    cancel();
    expect(fired).toBe(false);
  });

  it("runs what is due", async () => {
    await expect(sleep(systemClock, 1)).resolves.toBe(true);
  });
});

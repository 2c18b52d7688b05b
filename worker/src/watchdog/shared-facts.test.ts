import { describe, expect, it } from "vitest";
import { SharedFacts } from "./shared-facts.ts";

describe("the memory that main thread and watchdog share", () => {
  it("shows to one view what the other wrote", () => {
    const main = SharedFacts.create(2);
    const watchdog = SharedFacts.on(main.buffer);
    main.set("loopTick", 123.9);
    main.set("workerId", 9_007_199_254_740_993n);
    expect(watchdog.get("loopTick")).toBe(123);
    expect(watchdog.bigint("workerId")).toBe(9_007_199_254_740_993n);
    expect(watchdog.get("slotsTotal")).toBe(2);
    expect(watchdog.slots).toBe(2);
  });

  it("shows the jobs of the slots that are not empty", () => {
    const facts = SharedFacts.create(3);
    facts.setSlot(1, 77n, 5.5);
    facts.setProcessGroup(1, 4321);
    facts.setSlot(2, 78n, 6);
    facts.clearSlot(2);
    expect(facts.occupiedSlots()).toEqual([{ slot: 1, jobId: 77n, startedAtMs: 5, processGroup: 4321 }]);
  });

  it("never gives the renewal of one worker to another", () => {
    const facts = SharedFacts.create(1);
    expect(facts.renewalOf(1n)).toBeUndefined();
    facts.setRenewal(1n, 1_000, 30_000);
    expect(facts.renewalOf(1n)).toEqual({ sentAtMs: 1_000, leaseMs: 30_000 });
    expect(facts.renewalOf(2n)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { ClaimFloor } from "./claim-floor.ts";

const place = (id: string): { queue: string; priority: number; runAt: string; id: string } => ({
  queue: "q",
  priority: 3,
  runAt: "2026-01-01T00:00:00.123456Z",
  id,
});
const slow = { jobs: 2, floored: false, tookMs: 10 };

describe("the floor of claims (G12)", () => {
  it("is not used while claims are quick, so that order is exact", () => {
    const floor = new ClaimFloor();
    floor.record({ ...slow, next: place("2"), tookMs: 4 }, 1_000);
    expect(floor.at(1_000)).toBeUndefined();
  });

  it("is the last job of a full claim after a slow one", () => {
    const floor = new ClaimFloor();
    floor.record({ ...slow, next: place("2") }, 1_000);
    expect(floor.at(1_000)).toEqual(place("2"));
    floor.record({ ...slow, next: place("4"), floored: true, tookMs: 1 }, 1_010);
    expect(floor.at(1_010)?.id).toBe("4");
  });

  it.each([
    { tookMs: 10, dueMs: 200 },
    { tookMs: 6, dueMs: 120 },
    { tookMs: 5.2, dueMs: 104 },
  ])("is left out again $dueMs ms after a claim of $tookMs ms, at 100 ms the earliest", ({ tookMs, dueMs }) => {
    const floor = new ClaimFloor();
    floor.record({ ...slow, next: place("2"), tookMs }, 1_000);
    expect(floor.at(1_000 + dueMs - 1)).toBeDefined();
    expect(floor.at(1_000 + dueMs)).toBeUndefined();
  });

  it("is gone after a short batch: what is before it may be all there is", () => {
    const floor = new ClaimFloor();
    floor.record({ ...slow, next: place("2") }, 1_000);
    floor.record({ ...slow, jobs: 1, next: undefined, floored: true }, 1_001);
    expect(floor.at(1_002)).toBeUndefined();
  });
});

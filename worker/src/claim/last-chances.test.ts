import { beforeEach, describe, expect, it } from "vitest";
import { type HandsNow, LastChances } from "./last-chances.ts";

const EMPTY: HandsNow = { lastChance: false, empty: true, stuck: 0 };
const BUSY: HandsNow = { lastChance: false, empty: false, stuck: 0 };

describe("what a worker may claim, when some jobs are one lost worker from death", () => {
  let chances: LastChances;
  beforeEach(() => {
    chances = new LastChances();
  });
  /** A claim at a time, as the worker makes it; returns what it was allowed to bring. */
  const claim = (hands: HandsNow, nowMs: number, brought: { jobs: number; lastChances: number }): string => {
    const scope = chances.scope(hands, nowMs);
    if (scope !== "nothing") chances.answered({ scope, empty: hands.empty, ...brought }, nowMs);
    return scope;
  };
  const some = { jobs: 5, lastChances: 2 };
  const none = { jobs: 5, lastChances: 0 };
  const nothing = { jobs: 0, lastChances: 0 };

  it("G9: is nothing while it has such a job in its hands", () => {
    expect(chances.scope({ ...BUSY, lastChance: true }, 0)).toBe("nothing");
    expect(chances.scope({ lastChance: true, empty: false, stuck: 1 }, 10_000)).toBe("nothing");
  });

  it("is anything with empty hands, and one by one once it has met them, until it meets no more", () => {
    expect(claim(EMPTY, 0, some)).toBe("any");
    expect(claim(EMPTY, 10, { jobs: 1, lastChances: 1 })).toBe("one");
    expect(claim(EMPTY, 20, { jobs: 1, lastChances: 0 })).toBe("one");
    expect(claim(EMPTY, 30, none)).toBe("any");
  });

  it("is others after such a job for as long as that took, or until there are none", () => {
    claim(EMPTY, 0, some);
    chances.over(500, 500);
    expect(claim(BUSY, 999, none)).toBe("others");
    expect(claim(EMPTY, 999, none)).toBe("others");
    expect(claim(EMPTY, 1_000, some)).toBe("one");
    chances.over(3_600_000, 3_700_000);
    expect(claim(BUSY, 3_700_001, nothing), "what it has in its hands are others").toBe("others");
    expect(claim(EMPTY, 3_700_002, nothing)).toBe("others");
    expect(chances.scope(EMPTY, 3_700_003)).toBe("one");
  });

  it("with full hands is others, and anything once a second", () => {
    claim(EMPTY, 5_000, none);
    expect(claim(BUSY, 5_999, none)).toBe("others");
    expect(claim(BUSY, 6_000, none)).toBe("any");
    expect(claim(BUSY, 6_001, none)).toBe("others");
    expect(claim(BUSY, 7_000, none)).toBe("any");
  });

  it("is nothing after it saw one with full hands, until they are empty: then one", () => {
    expect(claim(BUSY, 0, some)).toBe("any");
    expect(chances.scope(BUSY, 999)).toBe("nothing");
    expect(chances.scope(EMPTY, 1)).toBe("one");
  });

  it("G3: takes no more than a fifth of its time from others, and has the patience for any job in the end", () => {
    const longJobMs = 3_600_000;
    let quietMs = 0;
    let longestQuietMs = 0;
    let quiet = 0;
    let largestShare = 0;
    for (let nowMs = 0; longestQuietMs < longJobMs; nowMs += 500) {
      const scope = claim(BUSY, nowMs, some);
      quiet = scope === "nothing" ? quiet + 500 : 0;
      if (scope === "nothing") quietMs += 500;
      longestQuietMs = Math.max(longestQuietMs, quiet);
      if (scope === "any" && nowMs > 0) largestShare = Math.max(largestShare, quietMs / nowMs);
    }
    expect(largestShare).toBeLessThanOrEqual(1 / 5);
    expect(claim(EMPTY, 1e9, { jobs: 1, lastChances: 1 })).toBe("one");
    claim(EMPTY, 1e9, none);
    claim(BUSY, 1e9 + 1_000, some);
    expect(chances.scope(BUSY, 1e9 + 2_000), "patience begins anew").toBe("others");
  });

  it("is others beside a handler that ignored its abort", () => {
    claim(EMPTY, 0, some);
    expect(chances.scope({ ...EMPTY, stuck: 1 }, 60_000)).toBe("others");
    expect(chances.scope({ ...BUSY, stuck: 1 }, 60_000)).toBe("others");
  });
});

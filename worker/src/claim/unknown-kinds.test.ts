import { describe, expect, it } from "vitest";
import { CLEAR_OUTLOOK, MAX_LOOK_PAST, outlookAfter, QueueOutlooks } from "./unknown-kinds.ts";

describe("the outlook of a queue with kinds that no handler knows", () => {
  it.each([
    {
      what: "a claim of known jobs clears it",
      before: { fruitless: 3, lookPast: 8, restUntilMs: 9 },
      known: 2,
      unknown: 0,
      after: CLEAR_OUTLOOK,
    },
    {
      what: "nothing seen, nothing changed",
      before: { fruitless: 3, lookPast: 8, restUntilMs: 9 },
      known: 0,
      unknown: 0,
      after: { fruitless: 3, lookPast: 8, restUntilMs: 9 },
    },
    {
      what: "only unknown jobs: the queue rests",
      before: CLEAR_OUTLOOK,
      known: 0,
      unknown: 1,
      after: { fruitless: 1, lookPast: 2, restUntilMs: 1_250 },
    },
    {
      what: "again only unknown jobs: it rests longer",
      before: { fruitless: 1, lookPast: 2, restUntilMs: 0 },
      known: 0,
      unknown: 3,
      after: { fruitless: 2, lookPast: 6, restUntilMs: 1_500 },
    },
    {
      what: "a full claim of only unknown jobs: look further at once",
      before: { fruitless: 2, lookPast: 2, restUntilMs: 0 },
      known: 0,
      unknown: 3,
      full: true,
      after: { fruitless: 2, lookPast: 6, restUntilMs: 0 },
    },
    {
      what: "more unknown jobs than a claim looks past: the queue rests",
      before: { fruitless: 0, lookPast: MAX_LOOK_PAST, restUntilMs: 0 },
      known: 0,
      unknown: 1_010,
      full: true,
      after: { fruitless: 1, lookPast: MAX_LOOK_PAST, restUntilMs: 1_250 },
    },
    {
      what: "a rest has an upper bound",
      before: { fruitless: 40, lookPast: 2, restUntilMs: 0 },
      known: 0,
      unknown: 1,
      after: { fruitless: 41, lookPast: 2, restUntilMs: 3_000 },
    },
    {
      what: "known jobs behind unknown ones: no rest, but a look past them",
      before: CLEAR_OUTLOOK,
      known: 1,
      unknown: 4,
      after: { fruitless: 0, lookPast: 8, restUntilMs: 0 },
    },
    {
      what: "the look past is bounded",
      before: CLEAR_OUTLOOK,
      known: 1,
      unknown: 900,
      after: { fruitless: 0, lookPast: MAX_LOOK_PAST, restUntilMs: 0 },
    },
  ])("$what", ({ before, known, unknown, full = false, after }) => {
    expect(outlookAfter(before, { known, unknown, full }, 1_000, 1)).toEqual(after);
  });

  it("lets a resting queue out of the claim and keeps the order of the others", () => {
    const outlooks = new QueueOutlooks();
    outlooks.record("high", { known: 0, unknown: 5, full: false }, 1_000);
    expect(outlooks.awake(["high", "default", "low"], 1_001)).toEqual(["default", "low"]);
    expect(outlooks.lookPast(["default", "low"])).toBe(0);
    expect(outlooks.awake(["high", "default", "low"], 2_000)).toEqual(["high", "default", "low"]);
    expect(outlooks.lookPast(["high", "default", "low"])).toBe(10);
  });
});

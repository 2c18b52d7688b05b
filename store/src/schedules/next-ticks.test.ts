import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextTicks } from "./next-ticks.ts";
import { type DueSchedule, type MissedTicks, ON_TIME_MS, planTicks } from "./plan-ticks.ts";

const ticks = (cron: string, zone: string, from: string, count: number): string[] =>
  nextTicks(cron, zone, new Date(from), count).map((tick) => tick.toISOString().replace(":00.000Z", ""));

describe("next ticks", () => {
  it.each([
    ["*/15 * * * *", ["2026-01-01T00:15", "2026-01-01T00:30", "2026-01-01T00:45"]],
    ["0 9-17/4 * * MON-FRI", ["2026-01-01T09:00", "2026-01-01T13:00", "2026-01-01T17:00"]],
    ["0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]],
    ["0 0 13 * FRI", ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-13T00:00"]],
    ["0 0 L * *", ["2026-01-31T00:00", "2026-02-28T00:00", "2026-03-31T00:00"]],
    ["30 6 * feb mon#2", ["2026-02-09T06:30", "2027-02-08T06:30", "2028-02-14T06:30"]],
    ["0 0 * * 7", ["2026-01-04T00:00", "2026-01-11T00:00", "2026-01-18T00:00"]],
  ])("of %s in UTC", (cron, expected) => {
    expect(ticks(cron, "UTC", "2026-01-01T00:00:00Z", 3)).toEqual(expected);
  });

  it("with six fields the first is the second", () => {
    expect(nextTicks("*/20 * * * * *", "UTC", new Date("2026-01-01T00:00:00.500Z"), 3)).toEqual([
      new Date("2026-01-01T00:00:20Z"),
      new Date("2026-01-01T00:00:40Z"),
      new Date("2026-01-01T00:01:00Z"),
    ]);
  });

  it("of a day that never comes: none", () => {
    expect(nextTicks("0 0 31 2 *", "Europe/Berlin", new Date(), 5)).toEqual([]);
  });

  describe("G14: when clocks go forward", () => {
    it.each([
      [
        "a time in the gap ticks once, at its end",
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00", "2026-03-30T00:30"],
      ],
      [
        "so do several in the gap",
        "*/20 2 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00", "2026-03-30T00:00"],
      ],
      [
        "and not twice with the time at its end",
        "30 2,3 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:30"],
      ],
      [
        "a time at its end ticks once",
        "0 2,3 * * *",
        "Europe/Berlin",
        "2026-03-28T12:00:00Z",
        ["2026-03-29T01:00", "2026-03-30T00:00"],
      ],
      [
        "every half hour goes on without a gap",
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-03-29T00:10:00Z",
        ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"],
      ],
      [
        "in New York",
        "30 2 * * *",
        "America/New_York",
        "2026-03-07T12:00:00Z",
        ["2026-03-08T07:00", "2026-03-09T06:30"],
      ],
      [
        "by half an hour on Lord Howe",
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T00:00:00Z",
        ["2026-10-03T15:30", "2026-10-04T15:15"],
      ],
    ])("%s", (_, cron, zone, from, expected) => {
      expect(ticks(cron, zone, from, expected.length)).toEqual(expected);
    });
  });

  describe("G14: when clocks go back", () => {
    it.each([
      [
        "a time that comes twice ticks the first time",
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-24T12:00:00Z",
        ["2026-10-25T00:30", "2026-10-26T01:30"],
      ],
      [
        "every half hour ticks in both hours",
        "*/30 * * * *",
        "Europe/Berlin",
        "2026-10-24T23:50:00Z",
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"],
      ],
      [
        "in New York",
        "30 1 * * *",
        "America/New_York",
        "2026-10-31T12:00:00Z",
        ["2026-11-01T05:30", "2026-11-02T06:30"],
      ],
      [
        "by half an hour on Lord Howe",
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T00:00:00Z",
        ["2026-04-04T14:45", "2026-04-05T15:15"],
      ],
      [
        "every quarter of an hour on Lord Howe",
        "*/15 * * * *",
        "Australia/Lord_Howe",
        "2026-04-04T14:15:00Z",
        ["2026-04-04T14:30", "2026-04-04T14:45", "2026-04-04T15:00", "2026-04-04T15:15", "2026-04-04T15:30"],
      ],
      ["begun between the two", "30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", ["2026-10-26T01:30"]],
    ])("%s", (_, cron, zone, from, expected) => {
      expect(ticks(cron, zone, from, expected.length)).toEqual(expected);
    });
  });

  it.each([
    ["0 25 * * *", 'the field hour is "25": write 0 to 23'],
    ["60 * * * *", 'the field minute is "60": write 0 to 59'],
    ["0 0 0 * *", 'the field day of month is "0": write 1 to 31'],
    ["0 0 * 13 *", 'the field month is "13": write 1 to 12 or JAN to DEC'],
    ["0 0 * * FUNDAY", 'the field day of week is "FUNDAY": write 0 to 7 or SUN to SAT'],
    ["61 * * * * *", 'the field second is "61": write 0 to 59'],
    ["5-1 * * * *", 'the field minute is "5-1": a range goes from low to high'],
    ["5/10 * * * *", "a step needs a range, such as 5-59/10"],
    ["*/0 * * * *", 'the field minute is "*/0"'],
    ["@daily", "macros are not known: write the five fields"],
    ["* * * *", "it has 4 fields: write minute, hour"],
    ["", "it has 0 fields"],
    ["0 0 1 1 * 2027 x", "it has 7 fields"],
  ])("%j is refused, and the field is named", (cron, words) => {
    expect(() => nextTicks(cron, "UTC", new Date(), 1)).toThrow(words);
  });

  it("a zone that does not exist, and a count that makes no sense, are refused", () => {
    expect(() => nextTicks("* * * * *", "Nowhere/Land", new Date(), 1)).toThrow('"Nowhere/Land" is no time zone');
    expect(() => nextTicks("* * * * *", "UTC", new Date(), 0)).toThrow("count is 0: write 1 to 1000");
  });

  const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu");
  const cron = fc
    .tuple(
      fc.constantFrom("0", "*/7", "13,59", "30", "*"),
      fc.constantFrom("*", "*/2", "1-3", "2", "0,23"),
      fc.constantFrom("*", "*", "1", "29"),
    )
    .map(([minute, hour, day]) => `${minute} ${hour} ${day} * *`);
  const instant = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2028, 0) }).map((ms) => new Date(ms));

  it("G14: ticks only ever go forward, and are the same wherever one begins to ask", () => {
    fc.assert(
      fc.property(cron, zone, instant, (expression, where, from) => {
        const found = nextTicks(expression, where, from, 12).map(Number);
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        expect(new Set(found).size).toBe(found.length);
        for (const [index, tick] of found.slice(0, -1).entries()) {
          expect(nextTicks(expression, where, new Date(tick), 1).map(Number)).toEqual([found[index + 1]]);
        }
      }),
      { numRuns: 40 },
    );
  });

  describe("missed ticks", () => {
    const now = new Date("2026-05-05T12:00:30Z");
    const schedule = (
      missedTicks: MissedTicks,
      nextAt: string,
      maxMissed = 100,
      expression = "0 * * * *",
    ): DueSchedule => ({
      cron: expression,
      timeZone: "UTC",
      missedTicks,
      maxMissed,
      nextAt: new Date(nextAt),
    });
    const hours = (dates: readonly Date[]): number[] => dates.map((date) => date.getUTCHours());

    it.each([
      ["skip", [12], [9, 10, 11]],
      ["once", [12], [9, 10, 11]],
      ["all", [9, 10, 11, 12], []],
    ] as const)("%s, while a tick is on time", (policy, fire, skip) => {
      const plan = planTicks(schedule(policy, "2026-05-05T09:00:00Z"), now);
      expect([hours(plan.fire), hours(plan.skip)]).toEqual([fire, skip]);
      expect(plan).toMatchObject({ nextAt: new Date("2026-05-05T13:00:00Z"), more: false });
    });

    it.each([
      ["skip", [], [9, 10, 11]],
      ["once", [11], [9, 10]],
      ["all", [9, 10, 11], []],
    ] as const)("%s, when none is on time", (policy, fire, skip) => {
      const plan = planTicks(schedule(policy, "2026-05-05T09:00:00Z"), new Date("2026-05-05T11:30:00Z"));
      expect([hours(plan.fire), hours(plan.skip)]).toEqual([fire, skip]);
    });

    it("all is bounded: the latest fire, the earlier ones are skipped on record", () => {
      const plan = planTicks(schedule("all", "2026-05-05T01:00:00Z", 3), now);
      expect(hours(plan.fire)).toEqual([9, 10, 11, 12]);
      expect(hours(plan.skip)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });

    it("G14: however long the absence, every tick is in exactly one plan, and as many fire as the policy says", () => {
      fc.assert(
        fc.property(
          fc.constantFrom<MissedTicks>("skip", "once", "all"),
          fc.integer({ min: 0, max: 600 }),
          fc.integer({ min: 1, max: 120 }),
          fc.integer({ min: 20, max: 200 }),
          (policy, minutes, maxMissed, maxTicks) => {
            const start = new Date(now.getTime() - 30_000 - minutes * 60_000);
            let due: DueSchedule = schedule(policy, start.toISOString(), maxMissed, "* * * * *");
            const [fire, all]: [number[], number[]] = [[], []];
            for (;;) {
              const plan = planTicks(due, now, maxTicks);
              fire.push(...plan.fire.map(Number));
              all.push(...[...plan.skip, ...plan.fire].map(Number));
              if (!plan.more) break;
              due = { ...due, nextAt: plan.nextAt ?? new Date(0) };
            }
            expect(all).toEqual(Array.from({ length: minutes + 1 }, (_, index) => start.getTime() + index * 60_000));
            const onTime = all.filter((tick) => tick >= now.getTime() - ON_TIME_MS).length;
            const missed = all.length - onTime;
            expect(fire.length).toBe(onTime + (policy === "all" ? Math.min(missed, maxMissed) : 0));
          },
        ),
        { numRuns: 20 },
      );
    }, 30_000);
  });
});

import { describe, expect, it } from "vitest";
import { exactDuration, formatDuration, parseDuration } from "./duration.ts";

describe("a duration on the command line", () => {
  it.each([
    ["45s", 45],
    ["5m", 300],
    ["1h", 3600],
    ["1h30m", 5400],
    ["2d", 172_800],
    ["1w1d1h1m1s", 694_861],
    ["90m", 5400],
    ["0s", 0],
  ])("%s is %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each(["", "30", "1.5h", "-1h", "1 h", "1H", "30m1h", "1h1h", "h", "forever", "1ms"])("%j is not one", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("an age in a table", () => {
  it.each([
    [0, "0s"],
    [-3, "0s"],
    [119.9, "119s"],
    [120, "2m"],
    [150, "2m30s"],
    [600, "10m"],
    [10_799, "179m"],
    [10_800, "3h"],
    [11_100, "3h5m"],
    [28_800, "8h"],
    [172_799, "47h"],
    [172_800, "2d"],
    [180_000, "2d2h"],
    [691_200, "8d"],
    [40_000_000, "462d"],
  ])("of %d seconds reads %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe("a duration that is said back", () => {
  it.each(["45s", "5m", "1h", "1h30m", "2d", "1d1h1m1s", "0s"])("%s is written as it was given", (text) => {
    expect(exactDuration(parseDuration(text) ?? Number.NaN)).toBe(text);
  });

  it("keeps fractions of a second, which other clients may set", () => {
    expect(exactDuration(0.5)).toBe("0.5s");
    expect(exactDuration(90.25)).toBe("1m30.25s");
  });

  it("is in days at most", () => {
    expect(exactDuration(parseDuration("1w") ?? Number.NaN)).toBe("7d");
  });
});

import { describe, expect, it } from "vitest";
import { count, counted, pretty, relative, span } from "./format.ts";

describe("what the dashboard shows of numbers and times", () => {
  it.each([
    [0, "0 ms"],
    [850, "850 ms"],
    [4200, "4.2 s"],
    [59_400, "59 s"],
    [185_000, "3 min 5 s"],
    [180_000, "3 min"],
    [7_800_000, "2 h 10 min"],
    [442_800_000, "5 d 3 h"],
    [-4200, "-4.2 s"],
  ])("a span of %d ms reads %s", (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  it("says how long ago something was, or how far it is, in whole seconds", () => {
    const now = Date.parse("2030-01-31T08:00:00Z");
    expect(relative("2030-01-31T07:59:55.800Z", now)).toBe("4 s ago");
    expect(relative("2030-01-31T08:03:00Z", now)).toBe("in 3 min");
    expect(relative("2030-01-31T08:00:00.200Z", now)).toBe("now");
  });

  it("counts with words that fit", () => {
    expect(count(12_345)).toBe("12,345");
    expect(counted(1, "job")).toBe("1 job");
    expect(counted(0, "job")).toBe("0 jobs");
  });

  it("shows any JSON, and says of nothing that it is nothing", () => {
    expect(pretty({ a: "<b>" })).toBe('{\n  "a": "<b>"\n}');
    expect(pretty(undefined)).toBe("nothing");
  });
});

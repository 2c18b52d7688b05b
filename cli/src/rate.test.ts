import { describe, expect, it } from "vitest";
import { formatRate, parseRate } from "./rate.ts";

describe("a rate", () => {
  it.each([
    ["10/1m", { count: 10, perSeconds: 60 }, "10/1m"],
    ["100/s", { count: 100, perSeconds: 1 }, "100/1s"],
    ["5/1h30m", { count: 5, perSeconds: 5400 }, "5/1h30m"],
  ])("is read from %j, and written so that it is read again", (text, rate, written) => {
    expect(parseRate(text)).toEqual(rate);
    expect(formatRate(rate)).toBe(written);
    expect(parseRate(written)).toEqual(rate);
  });

  it.each(["10", "0/1m", "10/", "/1m", "10/0s", "10/60", "x/1m", "1e3/1m", "-1/1m"])(
    "is refused with an example when it is %j",
    (text) => {
      expect(() => parseRate(text)).toThrow(
        expect.objectContaining({ exit: "usage", remedy: expect.stringContaining("10/1m") as string }) as Error,
      );
    },
  );
});

import { describe, expect, it } from "vitest";
import { formatRetry, parseRetry } from "./retry-policy.ts";

describe("a retry policy", () => {
  it.each([
    ["10s,1m,5m", { intervalsSeconds: [10, 60, 300] }],
    ["0s", { intervalsSeconds: [0] }],
    ["exponential:1s..1h", { exponential: { initialSeconds: 1, maxSeconds: 3600 } }],
    ["exponential:1m..1d~20%", { exponential: { initialSeconds: 60, maxSeconds: 86_400, jitterPercent: 20 } }],
  ])("is read from %j, and written the same way", (text, policy) => {
    expect(parseRetry(text)).toEqual(policy);
    expect(formatRetry(policy)).toBe(text);
  });

  it.each(["", "10", "10s,", "10s;20s", "exponential", "exponential:1s", "exponential:1s..", "exponential:1s..1h~x%"])(
    "is refused with examples when it is %j",
    (text) => {
      expect(() => parseRetry(text)).toThrow(
        expect.objectContaining({
          exit: "usage",
          remedy: expect.stringContaining("exponential:1s..1h~20%") as string,
        }) as Error,
      );
    },
  );

  it("whose waits would shrink is refused", () => {
    expect(() => parseRetry("exponential:1h..1s")).toThrow("ends with a shorter wait");
  });
});

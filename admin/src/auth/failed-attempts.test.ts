import { describe, expect, it } from "vitest";
import { FailedAttempts } from "./failed-attempts.ts";

const fail = (attempts: FailedAttempts, address: string, times: number): void => {
  for (let n = 0; n < times; n += 1) attempts.note(address);
};

describe("wrong credentials", () => {
  it("make strangers of their address wait until the minute is over, and nobody else (S19)", () => {
    let now = 0;
    const attempts = new FailedAttempts(() => now);
    fail(attempts, "10.0.0.1", 19);
    expect(attempts.waitOf("10.0.0.1")).toBe(0);
    now = 30_000;
    fail(attempts, "10.0.0.1", 1);
    expect(attempts.waitOf("10.0.0.1")).toBe(30);
    expect(attempts.waitOf("10.0.0.2")).toBe(0);
    now = 60_001;
    expect(attempts.waitOf("10.0.0.1")).toBe(0);
    fail(attempts, "10.0.0.1", 1);
    expect(attempts.waitOf("10.0.0.1")).toBe(0);
  });

  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["2001:db8::1", "2001:db8:0:0:1::", true],
    ["::1", "::2", true],
    ["::ffff:10.0.0.1", "::ffff:10.0.0.2", false],
  ])("from %s and from %s are of one network: %s", (one, other, same) => {
    const attempts = new FailedAttempts(() => 0);
    fail(attempts, one, 20);
    expect(attempts.waitOf(other) > 0).toBe(same);
  });
});

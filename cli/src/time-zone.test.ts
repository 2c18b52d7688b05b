import { describe, expect, it } from "vitest";
import { inZone } from "./time-zone.ts";

describe("an instant in a time zone", () => {
  it.each([
    ["2026-08-01T00:30:00Z", "Europe/Berlin", "Sat 2026-08-01 02:30:00 UTC+2"],
    ["2026-12-31T23:59:59Z", "UTC", "Thu 2026-12-31 23:59:59 UTC"],
    ["2026-03-29T00:59:59Z", "Europe/Berlin", "Sun 2026-03-29 01:59:59 UTC+1"],
    ["2026-03-29T01:00:00Z", "Europe/Berlin", "Sun 2026-03-29 03:00:00 UTC+2"],
    ["2026-08-01T18:30:00Z", "Asia/Kolkata", "Sun 2026-08-02 00:00:00 UTC+5:30"],
  ])("%s in %s is what its clocks show, and how far they are from UTC", (instant, zone, text) => {
    expect(inZone(new Date(instant), zone)).toBe(text);
  });
});

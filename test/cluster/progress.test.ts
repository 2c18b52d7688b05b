import { describe, expect, it } from "vitest";
import { formatDuration } from "./progress.ts";

describe("durations for people", () => {
  it("have as much detail as one wants to know", () => {
    expect([400, 9_940, 37_400, 60_000, 125_000].map(formatDuration)).toEqual([
      "0.4 s",
      "9.9 s",
      "37 s",
      "1 min 00 s",
      "2 min 05 s",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { compareVersions } from "./versions.ts";

describe("versions", () => {
  it("are compared number by number, whatever their length", () => {
    expect(compareVersions("1.9", "1.26.3")).toBeLessThan(0);
    expect(compareVersions("v1.34.4", "1.31.0")).toBeGreaterThan(0);
    expect(compareVersions("1.26", "1.26.0")).toBe(0);
  });
});

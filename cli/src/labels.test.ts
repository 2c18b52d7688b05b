import { describe, expect, it } from "vitest";
import { formatLabels, parseLabels } from "./labels.ts";

describe("labels", () => {
  it("are names and values; a value may be empty, and hold what parts the two", () => {
    const labels = parseLabels(["customer=acme", "query=a=b", "note=", "__proto__=x"]);
    expect(Object.entries(labels ?? {})).toEqual([
      ["customer", "acme"],
      ["query", "a=b"],
      ["note", ""],
      ["__proto__", "x"],
    ]);
    expect(formatLabels(labels ?? {})).toBe("customer=acme, query=a=b, note=, __proto__=x");
    expect(parseLabels([])).toBeUndefined();
  });

  it.each([
    [["acme"], "--label takes NAME=VALUE, not 'acme'"],
    [["=acme"], "--label takes NAME=VALUE, not '=acme'"],
    [["a=1", "a=2"], "--label a is given twice"],
  ])("%j are refused", (texts, message) => {
    expect(() => parseLabels(texts)).toThrow(message);
  });
});

import { assert, jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderYaml } from "./yaml.ts";

describe("-o yaml", () => {
  it("reads well", () => {
    const value = [
      { id: "7", queue: "mailers", at: new Date(0), payload: { to: ["ana", "bob"], empty: {}, none: [] }, error: null },
      { id: "8", queue: "2024", paused: false },
    ];
    expect(renderYaml(value)).toBe(`- id: "7"
  queue: mailers
  at: "1970-01-01T00:00:00.000Z"
  payload:
    to:
    - ana
    - bob
    empty: {}
    none: []
  error: null
- id: "8"
  queue: "2024"
  paused: false
`);
  });

  it.each([
    "no",
    "Off",
    "null",
    "~",
    "1e3",
    "0x1f",
    "12:30",
    "2024-01-01",
    "- a",
    "a: b",
    "a #b",
    " a",
    "*",
    "",
    "\u0085",
  ])("keeps the string %j a string, for readers of YAML 1.1 and 1.2", (text) => {
    expect(parse(renderYaml({ text }), { version: "1.1" })).toEqual({ text });
    expect(parse(renderYaml({ text }), { version: "1.2" })).toEqual({ text });
  });

  it("is read back as the same value, whatever the value", () => {
    assert(
      property(jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as unknown;
        expect(parse(renderYaml(json))).toEqual(json);
      }),
    );
  });
});

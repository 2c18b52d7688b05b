import * as fc from "fast-check";
import { expect, it } from "vitest";
import { canonical } from "./canonical.ts";

/** The same object with its keys in another order, at every depth. */
const reversed = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(reversed);
  if (typeof part !== "object" || part === null) return part;
  return Object.fromEntries(
    Object.entries(part)
      .toReversed()
      .map(([key, value]) => [key, reversed(value)]),
  );
};

it("equal data gives equal text, whatever the order in which it was put together", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (data) => {
      expect(canonical(reversed(data))).toBe(canonical(data));
      expect(JSON.parse(canonical(data))).toEqual(JSON.parse(JSON.stringify(data)));
    }),
  );
});

it("what is not said is not in the text, and lists keep their order", () => {
  expect(canonical({ b: undefined, c: [2, 1, { z: 1, a: null }], a: "x" })).toBe(
    '{"a":"x","c":[2,1,{"a":null,"z":1}]}',
  );
});

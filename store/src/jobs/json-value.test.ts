import { assert, jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_JSON_BYTES, toJsonText } from "./json-value.ts";

/** An array in an array in an array … */
const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);

describe("what can be stored as JSON", () => {
  it.each([
    ["null", null],
    ["text with every plane", "aé€😀\n\u0001"],
    ["a number as JSON has it", [0, -1.5, 1e300, 1e21, Number.MAX_SAFE_INTEGER]],
    ["100 levels", nested(100)],
    ["properties that are undefined are left out", { a: 1, b: undefined }],
    ["dates as they turn themselves into text", { at: new Date(0) }],
    [
      "the same object twice, which is no cycle",
      (() => {
        const shared = { x: 1 };
        return [shared, shared];
      })(),
    ],
    ["a key named __proto__", JSON.parse('{"__proto__": {"admin": true}}')],
  ])("%s", (_, value) => {
    expect(toJsonText(value, "payload")).toBe(JSON.stringify(value));
  });

  it("-0 is stored as 0, which JSON makes of it", () => {
    expect(toJsonText(-0, "payload")).toBe("0");
  });

  it.each([
    ["undefined", undefined, "payload is undefined, which JSON cannot hold: leave it out or send null"],
    ["undefined in an array", [1, undefined], "payload[1] is undefined"],
    ["a function", { run: () => {} }, "payload.run is a function, which JSON cannot hold"],
    ["a symbol", [Symbol("x")], "payload[0] is a symbol"],
    ["a BigInt", { n: 2n }, "payload.n is a BigInt, which JSON cannot hold: send it as a string"],
    ["NaN", [Number.NaN], "payload[0] is NaN, which JSON cannot hold: send null or a string"],
    ["1e400", { n: Number("1e400") }, "payload.n is Infinity"],
    ["2^53", { n: 2 ** 53 }, "payload.n is 9007199254740992, beyond 2^53, where digits get lost: send it as a string"],
    ["U+0000", { a: { b: "x\u0000" } }, "payload.a.b contains the character U+0000"],
    ["U+0000 in a key", { a: { "\u0000": 1 } }, "a key of payload.a contains the character U+0000"],
    ["half a surrogate pair", "x\uDC00", "payload contains half of a surrogate pair"],
    ["101 levels", nested(101), "is nested deeper than 100 levels: flatten it"],
    ["a Map", { m: new Map() }, "payload.m is a Map, which JSON turns into {}"],
    ["an array with holes", Object.assign([], { 2: 1 }), "payload is an array with holes"],
    ["too many bytes", "é".repeat(MAX_JSON_BYTES / 2), "payload has 1048578 bytes as JSON; at most 1048576 are stored"],
  ])("%s is refused in words", (_, value, words) => {
    expect(() => toJsonText(value, "payload")).toThrow(words);
  });

  it("a cycle is refused", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = [cycle];
    expect(() => toJsonText(cycle, "payload")).toThrow("payload.self[0] contains itself");
  });

  it("100,000 levels are refused without overflowing the stack", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(() => toJsonText(deep, "payload")).toThrow("nested deeper than 100 levels");
  });

  it("whatever is accepted comes back equal", () => {
    assert(
      property(jsonValue({ maxDepth: 5 }), (value) => {
        let text: string;
        try {
          text = toJsonText(value, "payload");
        } catch {
          return;
        }
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

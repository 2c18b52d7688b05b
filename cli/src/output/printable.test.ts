import { describe, expect, it } from "vitest";
import { clip, printable, printableLine, widthOf } from "./printable.ts";

describe("text of other people", () => {
  it("cannot send escape sequences to the terminal", () => {
    expect(printable("\u001b]0;owned\u0007 \u009b31m ok")).toBe("\\u001b]0;owned\\u0007 \\u009b31m ok");
  });

  it("cannot turn the direction of what follows", () => {
    expect(printable("a\u202eb\u2066c")).toBe("a\\u202eb\\u2066c");
  });

  it("keeps its line breaks where lines are wanted, and shows them where one line is wanted", () => {
    expect(printable("a\nb\r\n")).toBe("a\nb\\u000d\n");
    expect(printableLine("a\nb")).toBe("a\\nb");
  });

  it("keeps accents, scripts and emoji", () => {
    expect(printable("Grüße, 世界 🎉")).toBe("Grüße, 世界 🎉");
  });
});

describe("the width of text", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["Grüße", 5],
    ["e\u0301", 1],
    ["世界", 4],
    ["👩‍👩‍👧", 2],
    ["…", 1],
  ])("of %j is %d cells", (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  it("is kept by clipping, which marks what is missing", () => {
    expect(clip("abcdef", 6)).toBe("abcdef");
    expect(clip("abcdef", 4)).toBe("abc…");
    expect(clip("世界世界", 5)).toBe("世界…");
    expect(widthOf(clip("世界世界", 4))).toBe(3);
  });
});

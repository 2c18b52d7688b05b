import { describe, expect, it } from "vitest";
import { indexWords } from "./handlers/words.ts";

describe("the index of a document's words", () => {
  it("counts words in any alphabet, whatever their case", () => {
    expect(indexWords("a.md", "Über die Straße. über DIE Brücke, 2 mal")).toEqual({
      path: "a.md",
      words: 7,
      distinct: 5,
      longest: "straße",
      top: [
        ["die", 2],
        ["über", 2],
        ["brücke", 1],
        ["mal", 1],
        ["straße", 1],
      ],
    });
  });

  it("of nothing is empty", () => {
    expect(indexWords("a.md", " 1 2 \n")).toMatchObject({ words: 0, distinct: 0, longest: "", top: [] });
  });
});

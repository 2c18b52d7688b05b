import { describe, expect, it } from "vitest";
import { readSorting, sorted, writeSorting } from "./table.ts";

const columns = [{ name: "age", title: "Age", cell: () => "", by: ({ age }: { age: number | null }) => age }];
const rows = [{ age: 2 }, { age: null }, { age: 10 }, { age: 1 }];

describe("the order of a table", () => {
  it("is that of the column, either way, and what is unknown comes last", () => {
    const ages = (text: string) => sorted(rows, columns, readSorting(text)).map(({ age }) => age);
    expect(ages("age")).toEqual([1, 2, 10, null]);
    expect(ages("-age")).toEqual([10, 2, 1, null]);
    expect(ages("")).toEqual([2, null, 10, 1]);
    expect(ages("no-such-column")).toEqual([2, null, 10, 1]);
  });

  it("is in the URL as it is read from there", () => {
    for (const text of ["age", "-age"]) {
      const sorting = readSorting(text);
      expect(sorting && writeSorting(sorting)).toBe(text);
    }
  });
});

import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { type Column, renderTable } from "./table.ts";

interface Row {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "NAME", flexible: true, value: (row) => row.name, emphasis: () => "green" },
  { title: "COUNT", align: "right", value: (row) => String(row.count) },
  { title: "NOTE", flexible: true, value: (row) => row.note },
];

const ROWS: readonly Row[] = [
  { name: "mailers", count: 7, note: "" },
  { name: "世界", count: 1200, note: "a rather long remark about it" },
];

describe("a table", () => {
  it("aligns columns by what the terminal shows, and leaves no blanks at line ends", () => {
    expect(renderTable(COLUMNS, ROWS, { width: undefined, colour: false })).toBe(
      ["NAME      COUNT   NOTE", "mailers       7", "世界       1200   a rather long remark about it", ""].join("\n"),
    );
  });

  it("that is too wide narrows its gaps first, then its last flexible column, then the others, never below eight cells", () => {
    const row = (width: number): string => renderTable(COLUMNS, ROWS, { width, colour: false }).split("\n")[2] ?? "";
    expect(row(47)).toBe("世界       1200   a rather long remark about it");
    expect(row(46)).toBe("世界      1200  a rather long remark about it");
    expect(row(35)).toBe("世界      1200  a rather long rema…");
    expect(row(10)).toBe("世界      1200  a rathe…");
  });

  it("is never cut where it does not go to a terminal", () => {
    expect(renderTable(COLUMNS, ROWS, { width: undefined, colour: false })).toContain("a rather long remark about it");
  });

  it("with colours is the same text", () => {
    const plain = renderTable(COLUMNS, ROWS, { width: 60, colour: false });
    const coloured = renderTable(COLUMNS, ROWS, { width: 60, colour: true });
    expect(coloured).not.toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it("shows control characters of a cell instead of sending them, and keeps the row on one line", () => {
    const text = renderTable(COLUMNS, [{ name: "a\u001b[2Jb\nc", count: 1, note: "" }], {
      width: undefined,
      colour: false,
    });
    expect(text).toContain("a\\u001b[2Jb\\nc");
    expect(text.split("\n")).toHaveLength(3);
  });

  it("without rows is its headings", () => {
    expect(renderTable(COLUMNS, [], { width: 80, colour: false })).toBe("NAME   COUNT   NOTE\n");
  });
});

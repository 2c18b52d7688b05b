import { styleText } from "node:util";
import { clip, printableLine, widthOf } from "./printable.ts";

/** How a cell stands out where colours are on. */
export type Emphasis = "bold" | "dim" | "green" | "yellow" | "red";

/** One column: what it shows of a row. */
export interface Column<Row> {
  /** Heading, in capitals. */
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut short when the terminal is too narrow; the last one listed shrinks first. */
  readonly flexible?: boolean;
  value(row: Row): string;
  emphasis?(row: Row): Emphasis | undefined;
}

/** What the output goes to. */
export interface TableOptions {
  /** Width in cells; `undefined` where nothing may be cut (files and pipes). */
  readonly width: number | undefined;
  readonly colour: boolean;
}

/** Blanks between columns; fewer where the terminal is too narrow for all of the table. */
const GAP = 3;
const NARROW_GAP = 2;
/** A flexible column is never narrower than this, or than its heading. */
const NARROWEST = 8;

/** Widths of the columns, and of the gap between them, so that a line fits into a width as far as that is possible. */
function fit(
  columns: readonly Column<never>[],
  natural: readonly number[],
  width: number | undefined,
): { widths: number[]; gap: number } {
  const widths = [...natural];
  const cells = widths.reduce((sum, column) => sum + column, 0);
  const gaps = widths.length - 1;
  if (width === undefined || cells + GAP * gaps <= width) return { widths, gap: GAP };
  let excess = cells + NARROW_GAP * gaps - width;
  for (let index = columns.length - 1; index >= 0 && excess > 0; index -= 1) {
    const column = columns[index];
    if (!column?.flexible) continue;
    const least = Math.min(natural[index] ?? 0, Math.max(NARROWEST, widthOf(column.title)));
    const given = Math.min(excess, (widths[index] ?? 0) - least);
    widths[index] = (widths[index] ?? 0) - given;
    excess -= given;
  }
  return { widths, gap: NARROW_GAP };
}

/**
 * A table for people: a line of headings, one line per row, columns parted by three spaces, cut to the terminal. Rows
 * are other people's text, so control characters are shown, never sent. Ends in a line break.
 */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: TableOptions): string {
  const cells = rows.map((row) => columns.map((column) => printableLine(column.value(row))));
  const natural = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...cells.map((row) => widthOf(row[index] ?? ""))),
  );
  const { widths, gap } = fit(columns, natural, options.width);
  const line = (texts: readonly string[], style: (index: number, text: string) => string): string => {
    const parts = texts.map((text, index) => {
      const width = widths[index] ?? 0;
      const clipped = clip(text, width);
      const padding = " ".repeat(Math.max(0, width - widthOf(clipped)));
      const styled = style(index, clipped);
      return columns[index]?.align === "right" ? padding + styled : styled + padding;
    });
    return parts.join(" ".repeat(gap)).trimEnd();
  };
  const paint = (emphasis: Emphasis | undefined, text: string): string =>
    options.colour && emphasis !== undefined && text !== ""
      ? styleText(emphasis, text, { validateStream: false })
      : text;
  const lines = [
    line(
      columns.map((column) => column.title),
      (_, text) => paint("bold", text),
    ),
    ...rows.map((row, number) =>
      line(cells[number] ?? [], (index, text) => paint(columns[index]?.emphasis?.(row), text)),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

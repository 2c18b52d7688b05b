import { become, type Child, h, put, refocus } from "./dom.ts";

/** A column of a table. */
export interface Column<R> {
  /** Its name in the URL when it can be sorted by. */
  readonly name: string;
  readonly title: string;
  readonly cell: (row: R) => Child;
  readonly numeric?: boolean;
  /** What rows are compared by here. Absent: this table is not sorted here. */
  readonly by?: (row: R) => string | number | boolean | null;
  /** Sorting by it is the server's work. */
  readonly sortable?: boolean;
  /** The heading of its row, for a screen reader. */
  readonly heading?: boolean;
}

/** By which column, and which way. */
export interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

interface TableOptions<R> {
  readonly caption: string;
  readonly columns: readonly Column<R>[];
  readonly rowKey: (row: R) => string;
  readonly sorting: Sorting | undefined;
  /** Somebody wants it sorted otherwise. */
  readonly onSort?: (sorting: Sorting) => void;
}

/** Reads a sorting from the URL: `age`, or `-age` for descending. */
export function readSorting(text: string): Sorting | undefined {
  if (text === "") return undefined;
  return text.startsWith("-") ? { column: text.slice(1), descending: true } : { column: text, descending: false };
}

/** A sorting as the URL has it. */
export const writeSorting = ({ column, descending }: Sorting): string => (descending ? `-${column}` : column);

/** Rows in the order of a sorting; nulls last, equals as they were. */
export function sorted<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  sorting: Sorting | undefined,
): readonly R[] {
  const by = columns.find(({ name }) => name === sorting?.column)?.by;
  if (by === undefined) return rows;
  const sign = sorting?.descending ? -1 : 1;
  return rows.toSorted((left, right) => {
    const [a, b] = [by(left), by(right)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return typeof a === "string" && typeof b === "string"
      ? sign * a.localeCompare(b, "en", { numeric: true })
      : sign * (Number(a) - Number(b));
  });
}

/**
 * A table that can be drawn again and again as things change. Rows are known by their key, and what is in them stays as long as it is
 * drawn the same: the button that somebody is about to press does not go away under the finger.
 */
export class Table<R> {
  /** To be put into the page: it scrolls by itself where the screen is narrow. */
  readonly element: HTMLElement;
  readonly #options: TableOptions<R>;
  readonly #head = h("thead");
  readonly #body = h("tbody");
  #sorting: Sorting | undefined;

  constructor(options: TableOptions<R>) {
    this.#options = options;
    this.#sorting = options.sorting;
    const table = h("table", {}, h("caption", {}, options.caption), this.#head, this.#body);
    this.element = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": options.caption }, table);
    this.#drawHead();
  }

  /** Draws these rows. */
  draw(rows: readonly R[]): void {
    const focused = document.activeElement;
    const within = this.#body.contains(focused);
    const shown = [...this.#body.children];
    const byKey = new Map(shown.map((row) => [(row as HTMLElement).dataset["key"], row]));
    const drawn = sorted(rows, this.#options.columns, this.#sorting).map((row) => {
      const fresh = this.#row(row);
      const known = byKey.get(fresh.dataset["key"]);
      if (known === undefined) return fresh;
      become(known, fresh);
      return known;
    });
    // Rows that are where they were are not touched.
    if (drawn.length !== shown.length || drawn.some((row, index) => row !== shown[index])) put(this.#body, ...drawn);
    if (!within || document.activeElement === focused) return;
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
    else refocus(this.element);
  }

  #row(row: R): HTMLElement {
    const cells = this.#options.columns.map(({ cell, numeric, heading }) =>
      heading ? h("th", { scope: "row" }, cell(row)) : h("td", { class: numeric ? "numeric" : undefined }, cell(row)),
    );
    return h("tr", { "data-key": this.#options.rowKey(row) }, ...cells);
  }

  #drawHead(): void {
    const { columns } = this.#options;
    put(this.#head, h("tr", {}, ...columns.map((column) => this.#headCell(column))));
  }

  #headCell({ name, title, by, sortable, numeric }: Column<R>): HTMLElement {
    const current = this.#sorting?.column === name ? this.#sorting : undefined;
    const order = current && (current.descending ? "descending" : "ascending");
    const canSort = this.#options.onSort !== undefined && (by !== undefined || sortable === true);
    const mark = order === undefined ? "" : order === "ascending" ? " ▲" : " ▼";
    const content = canSort
      ? h(
          "button",
          { type: "button", class: "sort", onclick: () => this.#sortBy(name) },
          title,
          h("span", { "aria-hidden": "true" }, mark),
        )
      : title;
    return h("th", { scope: "col", class: numeric ? "numeric" : undefined, "aria-sort": order }, content);
  }

  #sortBy(column: string): void {
    const descending = this.#sorting?.column === column && !this.#sorting.descending;
    this.#sorting = { column, descending };
    const index = this.#options.columns.findIndex(({ name }) => name === column);
    this.#drawHead();
    this.#head.querySelectorAll<HTMLElement>("th")[index]?.querySelector("button")?.focus();
    this.#options.onSort?.(this.#sorting);
  }
}

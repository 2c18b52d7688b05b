import type { Live } from "./live.ts";
import { placeLink } from "./page-url.ts";

/** What a page has to work with. It draws into `root` until `signal` ends. */
export interface PageContext {
  readonly root: HTMLElement;
  readonly live: Live;
  /** Ends when the page is left. */
  readonly signal: AbortSignal;
  /** What the page is about, such as a job's id; absent on lists. */
  readonly thing: string | undefined;
  readonly filters: Filters;
  /** Draws the page anew. */
  readonly reload: () => void;
}

/** A page of the dashboard. */
export interface Page {
  /** Its name in the URL. */
  readonly name: string;
  /** In the navigation and as heading. */
  readonly title: string;
  /** What one of its things is called: the heading of the page of one is `Queue mail`. Absent: it has none. */
  readonly one?: string;
  /** The scope without which there is nothing to see. */
  readonly scope: string;
  /** Draws it. What it throws is shown in its place. */
  readonly show: (context: PageContext) => void | Promise<void>;
}

/** The filters of a page, kept in the URL: setting one draws nothing, it only makes the URL say it. */
export class Filters {
  readonly #page: string;
  readonly #thing: string | undefined;
  readonly #values: URLSearchParams;

  constructor(page: string, thing: string | undefined, values: URLSearchParams) {
    this.#page = page;
    this.#thing = thing;
    this.#values = values;
  }

  /** The value of one; empty when it is not set. */
  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** Sets one; an empty value takes it away. */
  set(name: string, value: string): void {
    if (value === "") this.#values.delete(name);
    else this.#values.set(name, value);
    history.replaceState(null, "", placeLink(this.#page, this.#thing, this.#values));
  }
}

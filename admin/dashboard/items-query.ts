/** What the filters of the page of items mean: to the list, and to acts on all that match. */
import type { BulkFilter } from "./bulk-acts.ts";
import type { JobAct } from "./job-acts.ts";
import type { Filters } from "./page.ts";
import { readSorting, type Sorting } from "./table.ts";

/** Items on a page. */
export const PAGE_SIZE = 50;

/** What may narrow the list beside its state. */
const TEXTS = ["queue", "kind", "tag", "uniqueKey", "worker"];
const OLDER = "olderThanSeconds";

/** What the list is asked by. */
export function queryOf(filters: Filters) {
  const state = filters.get("state");
  const [sorting, page] = [sortingOf(filters), pageOf(filters)];
  return {
    ...Object.fromEntries([...TEXTS, OLDER].map((name) => [name, filters.get(name)])),
    ...(state === "" ? { live: true } : state === "stale" ? { stale: true } : state === "all" ? {} : { state }),
    sort: sorting.column,
    order: sorting.descending ? "desc" : "asc",
    offset: (page - 1) * PAGE_SIZE,
    // One more says whether there is a next page.
    limit: PAGE_SIZE + 1,
  };
}

/** How the list is sorted; the newest first when nobody said. */
export const sortingOf = (filters: Filters): Sorting =>
  readSorting(filters.get("sort")) ?? { column: "created", descending: true };
/** Which page is shown, from 1. */
export const pageOf = (filters: Filters): number => Math.max(1, Math.trunc(Number(filters.get("page"))) || 1);

/** What the list is narrowed to, beside its state. */
export const narrowed = (filters: Filters) =>
  Object.fromEntries(
    [...TEXTS, OLDER]
      .map((name) => [name, filters.get(name)] as const)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => [name, name === OLDER ? Number(value) : value] as const),
  );

/** The filter as a bulk act takes it: never more than what the list means; or a sentence that says why there is none. */
export function bulkFilter(filters: Filters, act: JobAct): BulkFilter | string {
  const [state, rest] = [filters.get("state"), narrowed(filters)];
  if (state === "stale") return "Stale jobs are handed on on the page Recovery.";
  // Jobs that have not ended: of those that can run again these are the failed ones. The dead are not in the list.
  if (state === "" && act === "retry") return { ...rest, state: "failed" };
  const filter = { ...rest, ...(state !== "" && state !== "all" && { state }) };
  return Object.keys(filter).length === 0 ? "That would be every job: set a filter first." : filter;
}

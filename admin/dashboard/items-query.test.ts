import { describe, expect, it } from "vitest";
import { bulkFilter, queryOf } from "./items-query.ts";
import { Filters } from "./page.ts";

const filters = (query: string) => new Filters("items", undefined, new URLSearchParams(query));

describe("an act on all items that match", () => {
  it.each([
    ["queue=mail&state=dead", "retry", { queue: "mail", state: "dead" }],
    ["queue=mail&state=all", "retry", { queue: "mail" }],
    // The list shows what has not ended: the dead, which could be retried too, are not in it.
    ["queue=mail", "retry", { queue: "mail", state: "failed" }],
    ["", "retry", { state: "failed" }],
    ["queue=mail", "cancel", { queue: "mail" }],
    ["queue=mail&olderThanSeconds=86400", "cancel", { queue: "mail", olderThanSeconds: 86_400 }],
    ["tag=a&worker=7&uniqueKey=u&kind=k", "delete", { tag: "a", worker: "7", uniqueKey: "u", kind: "k" }],
  ] as const)("at ?%s, %s, means no more than what the list shows", (query, act, expected) => {
    expect(bulkFilter(filters(query), act)).toEqual(expected);
  });

  it("is refused without any filter, and where another page does it", () => {
    expect(bulkFilter(filters(""), "cancel")).toContain("set a filter first");
    expect(bulkFilter(filters("state=all"), "retry")).toContain("set a filter first");
    expect(bulkFilter(filters("queue=mail&state=stale"), "cancel")).toContain("Recovery");
  });
});

describe("the list of items", () => {
  it("asks for one more than a page, the newest that has not ended first", () => {
    expect(queryOf(filters("page=3"))).toMatchObject({
      live: true,
      sort: "created",
      order: "desc",
      offset: 100,
      limit: 51,
    });
    expect(queryOf(filters("olderThanSeconds=3600"))).toMatchObject({ live: true, olderThanSeconds: "3600" });
    expect(queryOf(filters("page=-1&sort=kind&state=stale"))).toMatchObject({
      stale: true,
      sort: "kind",
      order: "asc",
      offset: 0,
    });
  });
});

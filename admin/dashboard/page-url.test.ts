import { describe, expect, it } from "vitest";
import { placeLink, readPlace } from "./page-url.ts";

describe("a place in the dashboard", () => {
  it("is its link, and back, whatever names are in it", () => {
    for (const [page, thing, filters] of [
      ["queues", undefined, {}],
      ["queues", "a.b-c", {}],
      ["schedules", "team/nightly report?#%", {}],
      ["items", undefined, { queue: "mail", state: "dead", kind: "a&b=c" }],
    ] as const) {
      const place = readPlace(placeLink(page, thing, filters));
      expect(place.page).toBe(page);
      expect(place.thing).toBe(thing);
      expect(Object.fromEntries(place.filters)).toEqual(filters);
    }
  });

  it("is the page of queues when the link says nothing", () => {
    expect(readPlace("").page).toBe("queues");
    expect(readPlace("#/").page).toBe("queues");
  });

  it("of a broken link is still a place", () => {
    expect(readPlace("#/jobs/%E0%A4%A").thing).toBe("%E0%A4%A");
  });

  it("does not name filters that are empty", () => {
    expect(placeLink("items", undefined, { queue: "", state: "dead" })).toBe("#/items?state=dead");
  });
});

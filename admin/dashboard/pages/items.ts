import { put } from "../dom.ts";
import { type Filter, filterForm } from "../filter-form.ts";
import { ItemList } from "../item-list.ts";
import type { Page } from "../page.ts";

const STATES: readonly (readonly [string, string])[] = [
  ["", "Not ended"],
  ["pending", "Pending"],
  ["running", "Running"],
  ["stale", "Running, but stale"],
  ["scheduled", "Scheduled"],
  ["failed", "Failed, waiting to retry"],
  ["deferred", "Deferred"],
  ["dead", "Dead"],
  ["cancelled", "Cancelled"],
  ["completed", "Completed"],
  ["all", "All"],
];
/** Since a job was enqueued, or since it ended. */
const AGES: readonly (readonly [string, string])[] = [
  ["", "any age"],
  ["600", "10 minutes"],
  ["3600", "an hour"],
  ["86400", "a day"],
  ["604800", "a week"],
];

/** The table of jobs as Connect's administrators know it, with what can be done to one, to those selected, and to all that match. */
export const ITEMS_PAGE: Page = {
  name: "items",
  title: "Queue items",
  scope: "jobs:read",
  show: async (context) => {
    const { root, filters, live, signal } = context;
    const list = new ItemList(context);
    const queues = live.latest("queues")?.queues.map(({ queue }) => queue) ?? [];
    const fields: readonly Filter[] = [
      {
        name: "queue",
        label: "Queue",
        suggestions: queues,
        pattern: "[a-z0-9]([a-z0-9._\\-]*[a-z0-9])?",
        hint: "The whole name of a queue",
      },
      { name: "state", label: "State", choices: STATES },
      { name: "kind", label: "Type" },
      { name: "tag", label: "Tag" },
      { name: "uniqueKey", label: "Unique key" },
      { name: "worker", label: "Worker (id)", pattern: "[0-9]{1,18}", hint: "Digits only" },
      { name: "olderThanSeconds", label: "Older than", choices: AGES },
    ];
    put(root, filterForm(filters, fields, list.load), list.element);
    list.load();
    live.onChange(signal, list.follow);
  },
};

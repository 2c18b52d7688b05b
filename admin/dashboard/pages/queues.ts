import type { Queue, Queues } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put, update } from "../dom.ts";
import { count } from "../format.ts";
import { holdList, pause } from "../holds.ts";
import { badge, failure, loading, nothingHere } from "../notices.ts";
import type { Page } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { seriesCharts } from "../series-charts.ts";
import { may } from "../session.ts";
import { type Column, readSorting, Table, writeSorting } from "../table.ts";
import { ago } from "../ticking.ts";
import { showQueue } from "./queue.ts";

const items = (queue: string, state: string, value: number) =>
  value === 0 ? "0" : h("a", { href: placeLink("items", undefined, { queue, state }) }, count(value));

const numeric = (
  name: keyof Queue & ("pending" | "running" | "scheduled" | "failed" | "dead" | "stale"),
  title: string,
): Column<Queue> => ({
  name,
  title,
  numeric: true,
  by: (row) => row[name],
  cell: (row) => items(row.queue, name, row[name]),
});

const COLUMNS: readonly Column<Queue>[] = [
  {
    name: "queue",
    title: "Queue",
    heading: true,
    by: ({ queue }) => queue,
    cell: ({ queue }) => h("a", { href: placeLink("queues", queue) }, queue),
  },
  numeric("pending", "Pending"),
  numeric("running", "Running"),
  {
    name: "oldest",
    title: "Oldest",
    numeric: true,
    by: ({ oldestPendingSeconds }) => oldestPendingSeconds,
    cell: ({ oldestPendingSince }) => ago(oldestPendingSince),
  },
  numeric("scheduled", "Scheduled"),
  numeric("failed", "To retry"),
  numeric("dead", "Dead"),
  {
    ...numeric("stale", "Stale"),
    cell: ({ queue, stale }) =>
      stale === 0
        ? "0"
        : h("a", { href: placeLink("recovery", undefined, { queue }) }, badge(`${count(stale)} stale`, "bad")),
  },
  {
    name: "state",
    title: "State",
    by: ({ paused }) => paused,
    cell: ({ paused, holds }) => {
      if (!paused) return badge("open", "good");
      const own = holds.filter(({ queue }) => queue !== "*");
      const all = own.length < holds.length;
      return h("div", {}, badge("paused", "warn"), all && " with every queue", own.length > 0 && holdList(own));
    },
  },
];

const ACTIONS: Column<Queue> = {
  name: "acts",
  title: "Actions",
  cell: ({ queue }) =>
    h(
      "button",
      { type: "button", class: "small", "aria-label": `Pause ${queue}`, onclick: () => void pause(queue) },
      "Pause …",
    ),
};

/** Every queue: what waits, runs, is dead or paused, and charts of all. */
export const QUEUES_PAGE: Page = {
  name: "queues",
  title: "Queues",
  one: "Queue",
  scope: "queues:read",
  show: async (context) => {
    if (context.thing !== undefined) return showQueue(context, context.thing);
    const { root, live, signal, filters } = context;
    const table = new Table<Queue>({
      caption: "Queues",
      columns: may("queues:pause") ? [...COLUMNS, ACTIONS] : COLUMNS,
      rowKey: ({ queue }) => queue,
      sorting: readSorting(filters.get("sort")),
      onSort: (sorting) => {
        filters.set("sort", writeSorting(sorting));
        draw();
      },
    });
    const everyQueue = h("div");
    const list = h("div", {}, loading("the queues"));
    let latest: Queues | undefined;
    const draw = (): void => {
      if (latest === undefined) return;
      const { queues, everyQueue: holds, partial, at } = latest;
      update(
        everyQueue,
        holds.length > 0 && h("div", { class: "notice warn" }, h("h2", {}, "Every queue is paused"), holdList(holds)),
        partial && h("p", { class: "hint" }, "The store takes long to count; these counts are of ", ago(at), "."),
      );
      if (queues.length === 0) {
        put(
          list,
          nothingHere("No queues yet.", "A queue appears with its first job, or when a JobQueue object names it."),
        );
        return;
      }
      if (!list.contains(table.element)) put(list, table.element);
      table.draw(queues);
    };
    put(
      root,
      everyQueue,
      list,
      may("queues:pause") &&
        h("p", {}, h("button", { type: "button", onclick: () => void pause("*") }, "Pause every queue …")),
      seriesCharts(undefined, signal),
    );
    live.follow("queues", signal, (told) => {
      latest = told;
      draw();
    });
    if (latest === undefined) {
      try {
        latest ??= await ask<Queues>("GET", "api/v1/queues", { signal });
        draw();
      } catch (error) {
        put(list, failure(error, context.reload));
      }
    }
  },
};

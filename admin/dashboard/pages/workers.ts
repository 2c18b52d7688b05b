import type { Worker } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put } from "../dom.ts";
import { failure, loading, nothingHere } from "../notices.ts";
import type { Page } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { showAnswer } from "../show-answer.ts";
import { type Column, readSorting, Table, writeSorting } from "../table.ts";
import { countdown } from "../ticking.ts";
import { beat, sinceBeat, slots, verdict } from "../worker-facts.ts";
import { showWorker } from "./worker.ts";

const COLUMNS: readonly Column<Worker>[] = [
  {
    name: "id",
    title: "Worker",
    heading: true,
    by: ({ id }) => Number(id),
    cell: ({ id }) => h("a", { href: placeLink("workers", id) }, id),
  },
  { name: "verdict", title: "Verdict", by: ({ verdict: word }) => word, cell: verdict },
  {
    name: "pod",
    title: "Pod or host",
    by: ({ pod, hostname }) => pod ?? hostname,
    cell: ({ pod, hostname }) => pod ?? hostname ?? "–",
  },
  { name: "node", title: "Node", by: ({ node }) => node, cell: ({ node }) => node ?? "–" },
  { name: "beat", title: "Last beat", numeric: true, by: ({ heartbeatAt }) => -Date.parse(heartbeatAt), cell: beat },
  {
    name: "loop",
    title: "Loop age",
    numeric: true,
    by: ({ loopAgeMs }) => loopAgeMs,
    cell: (worker) => sinceBeat(worker, worker.loopAgeMs),
  },
  { name: "slots", title: "Slots busy", numeric: true, by: ({ slotsBusy }) => slotsBusy, cell: slots },
  {
    name: "lease",
    title: "Lease ends in",
    numeric: true,
    by: ({ leaseUntil }) => Date.parse(leaseUntil),
    cell: ({ leaseUntil, goneAt }) => (goneAt === null ? countdown(leaseUntil, "lapsed") : "–"),
  },
  {
    name: "claim",
    title: "Last claim",
    numeric: true,
    by: ({ lastClaimAgeMs }) => lastClaimAgeMs,
    cell: (worker) => sinceBeat(worker, worker.lastClaimAgeMs),
  },
  { name: "queues", title: "Queues", by: ({ queues }) => queues.join(), cell: ({ queues }) => queues.join(", ") },
];

/** Every worker and what is thought of it. */
export const WORKERS_PAGE: Page = {
  name: "workers",
  title: "Workers",
  one: "Worker",
  scope: "workers:read",
  show: async (context) => {
    if (context.thing !== undefined) return showWorker(context, context.thing);
    const { root, filters, live, signal } = context;
    const body = h("div", {}, loading("the workers"));
    let latest: readonly Worker[] = [];
    const table = new Table<Worker>({
      caption: "Workers",
      columns: COLUMNS,
      rowKey: ({ id }) => id,
      sorting: readSorting(filters.get("sort")),
      onSort: (sorting) => {
        filters.set("sort", writeSorting(sorting));
        table.draw(latest);
      },
    });
    const draw = (workers: readonly Worker[]): void => {
      latest = workers;
      if (workers.length === 0) {
        put(
          body,
          nothingHere(
            "No worker is there.",
            "Jobs wait until one serves their queue. Those that left are shown on request.",
          ),
        );
        return;
      }
      if (!body.contains(table.element)) put(body, table.element);
      table.draw(workers);
    };
    const all = h("input", { id: "include-gone", type: "checkbox", checked: filters.get("gone") !== "" });
    all.addEventListener("change", () => {
      filters.set("gone", all.checked ? "yes" : "");
      context.reload();
    });
    put(
      root,
      h("p", { class: "field inline" }, all, h("label", { for: "include-gone" }, "Also those that left")),
      body,
    );
    const load = (): void => {
      void showAnswer(
        ask<{ workers: readonly Worker[] }>("GET", "api/v1/workers", {
          query: { includeGone: all.checked },
          signal,
        }),
        signal,
        ({ workers }) => {
          draw(workers);
        },
        (error: unknown) => {
          put(body, failure(error, load));
        },
      );
    };
    load();
    if (all.checked) live.onChange(signal, load);
    else
      live.follow("workers", signal, ({ workers }) => {
        draw(workers);
      });
  },
};

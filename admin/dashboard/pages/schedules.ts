import type { Schedule } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put } from "../dom.ts";
import { badge, failure, loading, nothingHere } from "../notices.ts";
import type { Page } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { toggleButton, triggerButton } from "../schedule-acts.ts";
import { previewForm } from "../schedule-ticks.ts";
import { showAnswer } from "../show-answer.ts";
import { type Column, readSorting, Table, writeSorting } from "../table.ts";
import { ago } from "../ticking.ts";
import { showSchedule } from "./schedule.ts";

const jobLink = (id: string | null) => (id === null ? "–" : h("a", { href: placeLink("jobs", id) }, id));

/** Every schedule, when it ticks next and what became of its last tick. */
export const SCHEDULES_PAGE: Page = {
  name: "schedules",
  title: "Schedules",
  one: "Schedule",
  scope: "schedules:read",
  show: async (context) => {
    if (context.thing !== undefined) return showSchedule(context, context.thing);
    const { root, filters, signal, live } = context;
    let latest: readonly Schedule[] = [];
    const body = h("div", {}, loading("the schedules"));
    const columns: readonly Column<Schedule>[] = [
      {
        name: "name",
        title: "Schedule",
        heading: true,
        by: ({ name }) => name,
        cell: ({ name }) => h("a", { href: placeLink("schedules", name) }, name),
      },
      {
        name: "queue",
        title: "Queue",
        by: ({ queue }) => queue,
        cell: ({ queue }) => h("a", { href: placeLink("queues", queue) }, queue),
      },
      { name: "kind", title: "Type", by: ({ kind }) => kind, cell: ({ kind }) => kind },
      { name: "cron", title: "Cron", cell: ({ cron, timeZone }) => `${cron} (${timeZone})` },
      {
        name: "next",
        title: "Next tick",
        by: ({ nextAt }) => nextAt,
        cell: ({ nextAt, paused }) => (paused ? "–" : ago(nextAt)),
      },
      {
        name: "last",
        title: "Last tick",
        by: ({ lastTick }) => lastTick,
        cell: ({ lastTick, lastOutcome }) => h("span", {}, ago(lastTick), lastOutcome && ` ${lastOutcome}`),
      },
      { name: "job", title: "Last job", cell: ({ lastJobId }) => jobLink(lastJobId) },
      {
        name: "state",
        title: "State",
        by: ({ paused }) => paused,
        cell: ({ paused }) => (paused ? badge("paused", "warn") : badge("on", "good")),
      },
      {
        name: "acts",
        title: "Actions",
        cell: (schedule) => h("span", { class: "acts" }, toggleButton(schedule, load), triggerButton(schedule, load)),
      },
    ];
    const table = new Table<Schedule>({
      caption: "Schedules",
      columns,
      rowKey: ({ name }) => name,
      sorting: readSorting(filters.get("sort")),
      onSort: (sorting) => {
        filters.set("sort", writeSorting(sorting));
        table.draw(latest);
      },
    });
    const load = (): void => {
      void showAnswer(
        ask<{ schedules: readonly Schedule[] }>("GET", "api/v1/schedules", { signal }),
        signal,
        ({ schedules }) => {
          latest = schedules;
          if (schedules.length === 0) {
            put(
              body,
              nothingHere("No schedules.", "They come from JobSchedule objects, the API, or the command line."),
            );
            return;
          }
          if (!body.contains(table.element)) put(body, table.element);
          table.draw(schedules);
        },
        (error: unknown) => {
          put(body, failure(error, load));
        },
      );
    };
    put(root, body, previewForm(context));
    load();
    live.onChange(signal, load);
  },
};

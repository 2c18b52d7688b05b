import type { AuditEvent } from "../answers.ts";
import { ask } from "../api.ts";
import { h, put } from "../dom.ts";
import { count, instant, pretty } from "../format.ts";
import { filterForm } from "../filter-form.ts";
import { failure, loading, nothingHere } from "../notices.ts";
import type { Page } from "../page.ts";
import { Table } from "../table.ts";
import { showAnswer } from "../show-answer.ts";

const AGES: readonly (readonly [string, string])[] = [
  ["", "all that is kept"],
  ["3600", "the last hour"],
  ["86400", "the last day"],
  ["604800", "the last week"],
];

/** What changed, from and to; opened by whoever wants to know. */
function change({ before, after }: AuditEvent): HTMLElement | string {
  const there = (value: unknown): boolean => value !== null && value !== undefined;
  if (!there(before) && !there(after)) return "–";
  return h(
    "details",
    {},
    h("summary", {}, "Show"),
    there(before) && h("pre", {}, `before: ${pretty(before)}`),
    there(after) && h("pre", {}, `after: ${pretty(after)}`),
  );
}

/** Who changed what, when and why. Not live: whoever reads a trail does not want it to move. */
export const AUDIT_PAGE: Page = {
  name: "audit",
  title: "Audit",
  scope: "audit:read",
  show: ({ root, filters, signal }) => {
    const body = h("div", {}, loading("the audit trail"));
    const more = h("p");
    let shown: readonly AuditEvent[] = [];
    const table = new Table<AuditEvent>({
      caption: "Audit trail, the newest first",
      rowKey: ({ id }) => id,
      sorting: undefined,
      columns: [
        { name: "at", title: "When", cell: ({ at }) => h("time", { datetime: at }, instant(at)) },
        { name: "event", title: "What", heading: true, cell: ({ event }) => event },
        { name: "target", title: "Of what", cell: ({ target }) => target },
        { name: "count", title: "How many", numeric: true, cell: (event) => count(event.count) },
        {
          name: "actor",
          title: "Who",
          cell: ({ actor, source }) => (source === null ? actor : `${actor} (${source})`),
        },
        { name: "reason", title: "Why", cell: ({ reason }) => reason ?? "–" },
        { name: "change", title: "Change", cell: change },
      ],
    });
    let asked = 0;
    const load = (after?: string): void => {
      const mine = ++asked;
      const query = {
        ...Object.fromEntries(["event", "actor", "target", "sinceSeconds"].map((name) => [name, filters.get(name)])),
        limit: 100,
        after,
      };
      void showAnswer(
        ask<{ events: readonly AuditEvent[]; next: string | null }>("GET", "api/v1/audit", { query, signal }),
        signal,
        ({ events, next }) => {
          if (mine !== asked) return;
          shown = after === undefined ? events : [...shown, ...events];
          if (shown.length === 0)
            put(
              body,
              nothingHere(
                "No event fits.",
                "Every act of a person and of the operator is here, as long as it is kept.",
              ),
            );
          else {
            if (!body.contains(table.element)) put(body, table.element);
            table.draw(shown);
          }
          put(more, next !== null && h("button", { type: "button", onclick: () => load(next) }, "Older events"));
        },
        (error: unknown) => {
          if (!signal.aborted)
            put(
              body,
              failure(error, () => load(after)),
            );
        },
      );
    };
    const fields = [
      { name: "event", label: "What (event)" },
      { name: "actor", label: "Who" },
      { name: "target", label: "Of what (queue, job, schedule)" },
      { name: "sinceSeconds", label: "When", choices: AGES },
    ];
    const form = filterForm(filters, fields, () => {
      load();
    });
    put(root, form, h("p", {}, h("button", { type: "button", onclick: () => load() }, "Refresh")), body, more);
    load();
  },
};

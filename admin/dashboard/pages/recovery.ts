import { announce } from "../announce.ts";
import { ask } from "../api.ts";
import { askFirst } from "../dialog.ts";
import { h, put } from "../dom.ts";
import { counted } from "../format.ts";
import { filterForm } from "../filter-form.ts";
import { badge, failure, loading, nothingHere } from "../notices.ts";
import type { Filters, Page } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { may } from "../session.ts";
import { Table } from "../table.ts";
import { showAnswer } from "../show-answer.ts";

interface Recovered {
  readonly jobs: readonly StaleJob[];
}

interface StaleJob {
  readonly id: string;
  readonly queue: string;
  readonly workerId: string;
  readonly outcome: "retried" | "dead" | "failed" | "held" | "cancelled";
}

/** What recovery does with a job, in words. */
const OUTCOMES: Readonly<
  Record<StaleJob["outcome"], { readonly words: string; readonly tone: "good" | "warn" | "bad" }>
> = {
  retried: { words: "becomes pending again; no attempt is spent", tone: "good" },
  failed: { words: "fails, by its policy", tone: "warn" },
  held: { words: "is held for a person, by its policy", tone: "warn" },
  cancelled: { words: "is cancelled, as somebody asked", tone: "warn" },
  dead: { words: "is dead: it lost too many workers, or its policy says so", tone: "bad" },
};

const MAX = 1000;

const choice = (filters: Filters) => ({
  ...(filters.get("queue") !== "" && { queue: filters.get("queue") }),
  ...(filters.get("olderThanSeconds") !== "" && { olderThanSeconds: Number(filters.get("olderThanSeconds")) }),
  ...(filters.get("policy") !== "" && { policy: filters.get("policy") }),
  max: MAX,
});

/** Stale jobs, what recovering them would do, and the button that does it: the preview comes first, always. */
export const RECOVERY_PAGE: Page = {
  name: "recovery",
  title: "Recovery",
  scope: "jobs:read",
  show: (context) => {
    const { root, filters, live, signal } = context;
    const summary = h("p", { class: "summary" });
    const body = h("div", {}, loading("stale jobs"));
    let preview: readonly StaleJob[] = [];
    const button = h(
      "button",
      { type: "button", class: "primary", disabled: true, onclick: () => void recover() },
      "Recover …",
    );
    const table = new Table<StaleJob>({
      caption: "Stale jobs, and what recovering them now would do",
      rowKey: ({ id }) => id,
      sorting: undefined,
      columns: [
        { name: "id", title: "Job", heading: true, cell: ({ id }) => h("a", { href: placeLink("jobs", id) }, id) },
        { name: "queue", title: "Queue", cell: ({ queue }) => h("a", { href: placeLink("queues", queue) }, queue) },
        {
          name: "worker",
          title: "Lost worker",
          cell: ({ workerId }) => h("a", { href: placeLink("workers", workerId) }, workerId),
        },
        {
          name: "outcome",
          title: "What would happen",
          cell: ({ outcome }) =>
            h("span", {}, badge(outcome, OUTCOMES[outcome].tone), ` It ${OUTCOMES[outcome].words}.`),
        },
      ],
    });
    const load = (): void => {
      void showAnswer(
        ask<Recovered>("GET", "api/v1/recovery", { query: choice(filters), signal }),
        signal,
        ({ jobs }) => {
          preview = jobs;
          draw();
        },
        (error: unknown) => {
          put(body, failure(error, load));
        },
      );
    };
    const draw = (): void => {
      button.disabled = preview.length === 0;
      put(
        summary,
        preview.length === 0
          ? ""
          : `If recovered now, ${inWords(preview)}${preview.length === MAX ? " There may be more." : ""}`,
      );
      if (preview.length === 0) {
        put(
          body,
          nothingHere(
            "No job is stale.",
            "A live worker backs every running job. Sweeps look every few seconds by themselves.",
          ),
        );
        return;
      }
      if (!body.contains(table.element)) put(body, table.element);
      table.draw(preview);
    };
    const recover = async (): Promise<void> => {
      let done: readonly StaleJob[] = [];
      const acted = await askFirst({
        title: `Recover ${counted(preview.length, "job")}`,
        body: [
          h("p", {}, inWords(preview)),
          h(
            "p",
            {},
            "What the lost workers say of these jobs later is void. Repeating it is safe: each job moves once.",
          ),
        ],
        fields: [{ name: "reason", label: "Why", required: true }],
        action: "Recover",
        act: async ({ reason = "" }) => {
          ({ jobs: done } = await ask<Recovered>("POST", "api/v1/recovery", { body: { ...choice(filters), reason } }));
        },
      });
      if (!acted) return;
      announce(done.length === 0 ? "Nothing was stale any more: a sweep came first." : `Done: ${inWords(done)}`);
      load();
    };
    const age: readonly (readonly [string, string])[] = [
      ["", "any time"],
      ["60", "a minute"],
      ["600", "10 minutes"],
      ["3600", "an hour"],
    ];
    const policy: readonly (readonly [string, string])[] = [
      ["", "as job or queue say"],
      ["retry", "they run again"],
      ["hold", "they are held for a person"],
      ["fail", "they are dead"],
    ];
    const fields = [
      { name: "queue", label: "Queue", suggestions: live.latest("queues")?.queues.map(({ queue }) => queue) ?? [] },
      { name: "olderThanSeconds", label: "Claimed at least … ago", choices: age },
      { name: "policy", label: "What becomes of them", choices: policy },
    ];
    put(root, filterForm(filters, fields, load), summary, may("jobs:recover") && h("p", {}, button), body);
    load();
    live.onChange(signal, load);
  },
};

/** `3 jobs: 2 retried, 1 dead.` */
function inWords(jobs: readonly StaleJob[]): string {
  const outcomes = Object.keys(OUTCOMES).map(
    (outcome) => [outcome, jobs.filter((job) => job.outcome === outcome).length] as const,
  );
  const parts = outcomes.filter(([, many]) => many > 0).map(([outcome, many]) => `${many} ${outcome}`);
  return `${counted(jobs.length, "job")}: ${parts.join(", ")}.`;
}

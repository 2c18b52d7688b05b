import type { Job } from "../answers.ts";
import { ask } from "../api.ts";
import { type Child, h, put, update } from "../dom.ts";
import { pretty, span } from "../format.ts";
import { actButtons } from "../job-acts.ts";
import { loading, nothingHere } from "../notices.ts";
import type { Page, PageContext } from "../page.ts";
import { placeLink } from "../page-url.ts";
import { payloadButton } from "../payload-viewer.ts";
import { stateBadge } from "../state-badge.ts";
import { ago, countdown } from "../ticking.ts";
import { whyPanel } from "../why-panel.ts";

/** One job: what happened to it, what runs it, why it does not, what can be done. */
export const JOB_PAGE: Page = {
  name: "jobs",
  title: "Job",
  one: "Job",
  scope: "jobs:read",
  show: async (context) => {
    const { root, thing } = context;
    if (thing === undefined) {
      put(root, finder());
      return;
    }
    if (!/^[0-9]{1,18}$/.test(thing)) {
      put(root, nothingHere(`"${thing}" is no id of a job.`, "Ids are whole numbers."), finder());
      return;
    }
    await showJob(context, thing);
  },
};

/** A form that leads to a job by its id. */
function finder(): HTMLElement {
  const input = h("input", {
    id: "job-id",
    type: "text",
    inputmode: "numeric",
    pattern: "[0-9]{1,18}",
    required: true,
  });
  const form = h(
    "form",
    { class: "filters" },
    h("div", { class: "field" }, h("label", { for: "job-id" }, "Id of the job"), input),
    h("button", { type: "submit", class: "primary" }, "Look"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = placeLink("jobs", input.value.trim());
  });
  return form;
}

async function showJob({ root, live, signal }: PageContext, id: string): Promise<void> {
  const body = h("div", {}, loading("the job"));
  const acts = h("p", { class: "buttons" });
  const why = whyPanel(`api/v1/jobs/${id}/why`, signal);
  put(root, acts, body, why.element);
  let shown = "";
  const draw = async (): Promise<void> => {
    const job = await ask<Job>("GET", `api/v1/jobs/${id}`, { signal });
    why.draw();
    if (JSON.stringify(job) === shown) return;
    shown = JSON.stringify(job);
    update(
      acts,
      ...actButtons(job, (act) => void (act === "delete" ? gone() : draw())),
      payloadButton(id, "Show payload"),
    );
    update(body, facts(job), timeline(job), errors(job));
  };
  const gone = (): void => {
    put(root, nothingHere(`Job ${id} is deleted.`, h("a", { href: placeLink("items") }, "All items"), "."));
  };
  await draw();
  live.onChange(signal, () => {
    // A job that is gone meanwhile stays as it was seen last.
    draw().catch(() => {});
  });
}

function facts(job: Job): HTMLElement {
  const row = (title: string, ...value: readonly Child[]): HTMLElement[] => [h("dt", {}, title), h("dd", {}, ...value)];
  const optional = (title: string, value: string | null): HTMLElement[] => (value === null ? [] : row(title, value));
  const labels = Object.entries(job.labels ?? {});
  return h(
    "dl",
    { class: "facts" },
    ...row(
      "State",
      stateBadge(job),
      job.deadReason !== null && ` because of ${job.deadReason}`,
      job.cancelRequested && ", asked to stop",
    ),
    ...row("Queue", h("a", { href: placeLink("queues", job.queue) }, job.queue)),
    ...row("Type", job.kind),
    ...row(
      "Attempts",
      `${job.attempt} of ${job.maxAttempts}`,
      job.recoveries > 0 && `, and ${job.recoveries} lost with workers`,
    ),
    ...row("Generation", String(job.generation)),
    ...row("Priority", String(job.priority)),
    ...(job.state === "running" ? lease(job, row) : []),
    ...optional("What to do", job.recoveryHint),
    ...optional("Unique key", job.uniqueKey),
    ...optional("Concurrency key", job.concurrencyKey),
    ...optional("Tag", job.tag),
    ...(labels.length === 0 ? [] : row("Labels", labels.map(([name, value]) => `${name}=${String(value)}`).join(", "))),
    ...optional("Time limit", job.timeoutMs === null ? null : span(job.timeoutMs)),
    ...optional("Exit code", job.exitCode === null ? null : String(job.exitCode)),
    ...optional("Progress", job.progress === null ? null : pretty(job.progress)),
    ...optional("Last recovery", job.lastRecovery === null ? null : pretty(job.lastRecovery)),
  );
}

function lease(job: Job, row: (title: string, ...value: readonly Child[]) => HTMLElement[]): HTMLElement[] {
  return [
    ...row(
      "Runs on",
      h("a", { href: placeLink("workers", job.workerId ?? "") }, job.lockedBy ?? `worker ${job.workerId ?? ""}`),
    ),
    ...row(
      "Lease",
      `token ${job.leaseToken ?? "?"}, ends in `,
      countdown(job.lockedUntil, "– it has lapsed"),
      " unless it is renewed",
    ),
  ];
}

const WAITING: ReadonlySet<Job["state"]> = new Set(["scheduled", "failed", "pending"]);

/** What happened, in the order in which it did. */
function timeline(job: Job): HTMLElement {
  const happened = (job.errors ?? []).map(({ at, attempt, generation }) => ({
    at: at,
    text: `Attempt ${attempt} failed${generation > 1 ? ` (generation ${generation})` : ""}`,
  }));
  const points = [
    { at: job.createdAt, text: "Enqueued" },
    ...(WAITING.has(job.state) && job.runAt !== job.createdAt ? [{ at: job.runAt, text: "May start" }] : []),
    ...happened,
    ...(job.claimedAt === null ? [] : [{ at: job.claimedAt, text: `Claimed for attempt ${job.attempt}` }]),
    ...(job.finishedAt === null
      ? []
      : [
          {
            at: job.finishedAt,
            text: `Ended: ${job.state}${job.durationMs === null ? "" : ` after ${span(job.durationMs)}`}`,
          },
        ]),
  ].toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return h(
    "section",
    { "aria-labelledby": "timeline-title" },
    h("h2", { id: "timeline-title" }, "Timeline"),
    h("ol", { class: "timeline" }, ...points.map(({ at, text }) => h("li", {}, text, " ", ago(at)))),
  );
}

function errors(job: Job): HTMLElement | null {
  const list = job.errors ?? [];
  if (list.length === 0 && job.lastError === null) return null;
  const entries = list
    .toReversed()
    .map(({ attempt, at, error }) =>
      h(
        "li",
        {},
        h("p", {}, `Attempt ${attempt}, `, ago(at)),
        h("pre", { tabindex: 0, role: "region", "aria-label": `Error of attempt ${attempt}` }, error),
      ),
    );
  return h(
    "section",
    { "aria-labelledby": "errors-title" },
    h("h2", { id: "errors-title" }, "Errors, the latest first"),
    list.length === 0
      ? h("pre", { tabindex: 0, role: "region", "aria-label": "Last error" }, job.lastError)
      : h("ol", { class: "errors" }, ...entries),
  );
}

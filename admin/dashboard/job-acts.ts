import type { Job } from "./answers.ts";
import { announce } from "./announce.ts";
import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { may } from "./session.ts";

/** What can be done to a job. */
export type JobAct = "retry" | "cancel" | "delete";

/** The acts: what they need, what they say, when a job allows them. */
export const JOB_ACTS = {
  retry: {
    scope: "jobs:retry",
    title: "Retry",
    past: "Retried",
    explains: "Runs again, with all attempts before it. The last error is kept.",
    fits: (job: Job) => job.canRetry,
  },
  cancel: {
    scope: "jobs:cancel",
    title: "Cancel",
    past: "Cancelled",
    explains: "Does not run any more. Where it runs, its worker is asked to stop it.",
    fits: (job: Job) => !["completed", "cancelled", "dead"].includes(job.state) && !job.cancelRequested,
  },
  delete: {
    scope: "jobs:delete",
    title: "Delete",
    past: "Deleted",
    explains: "Gone as if never enqueued. This cannot be undone.",
    fits: (job: Job) => ["pending", "scheduled", "deferred", "failed"].includes(job.state),
  },
} as const satisfies Record<JobAct, unknown>;

/** The acts that this person may do and this job allows, as buttons. */
export function actButtons(job: Job, done: (act: JobAct) => void): HTMLElement[] {
  const acts = Object.keys(JOB_ACTS) as JobAct[];
  return acts
    .filter((act) => may(JOB_ACTS[act].scope) && JOB_ACTS[act].fits(job))
    .map((act) =>
      h(
        "button",
        {
          type: "button",
          class: `small${act === "delete" ? " danger" : ""}`,
          "aria-label": `${JOB_ACTS[act].title} job ${job.id}`,
          onclick: () => void one(act, job, done),
        },
        JOB_ACTS[act].title,
      ),
    );
}

async function one(act: JobAct, job: Job, then: (act: JobAct) => void): Promise<void> {
  const { title, past, explains } = JOB_ACTS[act];
  const done = await askFirst({
    title: `${title} job ${job.id}`,
    body: [h("p", {}, `${job.kind} of ${job.queue}, ${job.state}.`), h("p", {}, explains)],
    fields: [{ name: "reason", label: "Why", hint: "For the audit trail." }],
    action: title,
    danger: act === "delete",
    act: async ({ reason = "" }) => {
      if (act === "delete") await ask("DELETE", `api/v1/jobs/${job.id}`, { query: { reason } });
      else await ask("POST", `api/v1/jobs/${job.id}/${act}`, { body: reason === "" ? {} : { reason } });
    },
  });
  if (!done) return;
  announce(`${past} job ${job.id}.`);
  then(act);
}

import { announce } from "./announce.ts";
import { ask } from "./api.ts";
import { askFirst } from "./dialog.ts";
import { h } from "./dom.ts";
import { count, counted } from "./format.ts";
import { JOB_ACTS, type JobAct } from "./job-acts.ts";
import { words } from "./notices.ts";
import { may } from "./session.ts";

/** Which jobs: these, or all that a filter means. */
export type BulkFilter = Readonly<Record<string, unknown>>;

interface Outcome {
  readonly matched: number;
  readonly changed: number;
}

/** At most so many at once; what is left is said, and doing it again goes on. */
const MAX = 10_000;

/** Buttons that do something to many jobs. `filter` says which at the moment of the press, or in a sentence why none. */
export function bulkButtons(
  what: string,
  filter: (act: JobAct) => BulkFilter | string,
  done: () => void,
): HTMLElement[] {
  const acts = Object.keys(JOB_ACTS) as JobAct[];
  return acts
    .filter((act) => may(JOB_ACTS[act].scope))
    .map((act) =>
      h(
        "button",
        {
          type: "button",
          class: act === "delete" ? "danger" : undefined,
          onclick: () => void start(act, filter(act), done),
        },
        `${JOB_ACTS[act].title} ${what} …`,
      ),
    );
}

/** Counts first, then asks, then does it. */
async function start(act: JobAct, filter: BulkFilter | string, then: () => void): Promise<void> {
  const { title, past, explains } = JOB_ACTS[act];
  if (typeof filter === "string") {
    announce(filter, "bad");
    return;
  }
  const run = async (reason: string, dryRun: boolean): Promise<Outcome> =>
    ask<Outcome>("POST", `api/v1/bulk/${act}`, { body: { filter, reason, max: MAX, dryRun } });
  let matched: number;
  try {
    ({ matched } = await run("count before the act", true));
  } catch (error) {
    announce(words(error), "bad");
    return;
  }
  if (matched === 0) {
    announce(`None of these jobs can be ${past.toLowerCase()}.`, "bad");
    return;
  }
  let outcome: Outcome | undefined;
  await askFirst({
    title: `${title} ${counted(Math.min(matched, MAX), "job")}`,
    body: [
      h(
        "p",
        {},
        `${counted(matched, "job")} match${matched === 1 ? "es" : ""} and can be ${past.toLowerCase()}. ${explains}`,
      ),
      matched > MAX && h("p", {}, `At once ${count(MAX)} are done, the oldest first; do it again for the rest.`),
    ],
    fields: [{ name: "reason", label: "Why", required: true, hint: "One event in the audit trail names all of them." }],
    action: `${title} ${counted(Math.min(matched, MAX), "job")}`,
    danger: act !== "retry",
    act: async ({ reason = "" }) => {
      outcome = await run(reason, false);
    },
  });
  if (outcome === undefined) return;
  const left = outcome.matched - outcome.changed;
  announce(`${past} ${counted(outcome.changed, "job")}${left > 0 ? `; ${count(left)} are left, do it again` : ""}.`);
  then();
}

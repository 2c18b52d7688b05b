import { JOB_STATE_NAMES } from "@jobqueue/store";
import { Problem } from "../problem.ts";
import { described, flag, integer, list, listOfWhole, object, oneOf, optional, text } from "../schema.ts";
import { ID, LABELS, QUEUE_NAME } from "./shapes.ts";

const KIND = text({ description: "The kind of the job.", minLength: 1, maxLength: 200 });
const TAG = text({ description: "The tag of the job.", minLength: 1, maxLength: 200 });
const UNIQUE_KEY = text({ description: "The unique key of the job.", minLength: 1, maxLength: 200 });
const STATE = oneOf(JOB_STATE_NAMES, { description: "The state of the job." });
const OLDER_THAN = integer({
  minimum: 0,
  maximum: 315_360_000,
  description: "Since it was enqueued; of a job that is over since it ended.",
});
const WORKER = described(ID, "Id of the worker that runs it, or that ran it last.");

/** Query parameters that choose jobs. */
export const JOB_QUERY = {
  queue: optional(QUEUE_NAME),
  state: optional(STATE),
  kind: optional(KIND),
  tag: optional(TAG),
  label: optional(
    listOfWhole(text({ maxLength: 1100 }), {
      maxItems: 32,
      description: "NAME=VALUE; the parameter may be repeated, and all must hold.",
    }),
  ),
  worker: optional(WORKER),
  uniqueKey: optional(UNIQUE_KEY),
  olderThanSeconds: optional(OLDER_THAN),
  stale: optional(flag({ description: "Only running jobs that recovery will take." })),
};

/** Filter of a bulk act: all conditions must hold, and there must be one. */
export const BULK_FILTER = object(
  {
    ids: optional(list(ID, { minItems: 1, maxItems: 10_000 })),
    queue: optional(QUEUE_NAME),
    state: optional(STATE),
    kind: optional(KIND),
    tag: optional(TAG),
    labels: optional(LABELS),
    worker: optional(WORKER),
    uniqueKey: optional(UNIQUE_KEY),
    olderThanSeconds: optional(OLDER_THAN),
  },
  { description: "Which jobs: all conditions must hold, and there must be at least one." },
);

/** Labels of `label=NAME=VALUE` parameters. */
export function readLabels(texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (texts === undefined) return undefined;
  return Object.fromEntries(
    texts.map((label) => {
      const at = label.indexOf("=");
      if (at < 1) {
        throw new Problem("bad_request", `The parameter label is ${JSON.stringify(label)}; write NAME=VALUE.`, {
          field: "label",
        });
      }
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}

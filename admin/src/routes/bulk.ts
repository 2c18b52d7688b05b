import {
  type BulkAct,
  type BulkFilter,
  type BulkOutcome,
  cancelJobs,
  deleteJobs,
  enqueueMany,
  type NewJob,
  retryJobs,
  type Session,
} from "@jobqueue/store";
import type { Scope } from "../auth/scopes.ts";
import { defineRoute } from "../route.ts";
import { anything, flag, integer, list, object, optional, record, text } from "../schema.ts";
import { BULK_FILTER } from "./job-filter.ts";
import { ENQUEUE_BODY, ENQUEUED } from "./new-job.ts";
import { COUNT, ID, REASON, SCHEDULE_NAME } from "./shapes.ts";

const BULK_BODY = object({
  filter: BULK_FILTER,
  reason: REASON,
  max: optional(integer({ minimum: 1, maximum: 100_000, description: "At most so many jobs; 1000 when absent." })),
  dryRun: optional(flag({ description: "Only say what would be done." })),
});

const BULK_ANSWER = object({
  matched: { ...COUNT, description: "Jobs that the filter means and that this can be done to, whatever max is." },
  changed: { ...COUNT, description: "Jobs that were changed; 0 in a dry run." },
  ids: list(ID, { description: "The first 100 of these." }),
  dryRun: flag(),
});

interface Act {
  readonly verb: string;
  readonly scope: Scope;
  readonly summary: string;
  readonly run: (session: Session, filter: BulkFilter, act: BulkAct) => Promise<BulkOutcome>;
}

const ACTS: readonly Act[] = [
  { verb: "retry", scope: "jobs:retry", summary: "Retry failed, dead and held jobs by filter.", run: retryJobs },
  { verb: "cancel", scope: "jobs:cancel", summary: "Cancel jobs by filter.", run: cancelJobs },
  { verb: "delete", scope: "jobs:delete", summary: "Delete jobs that have not started, by filter.", run: deleteJobs },
];

/** Routes of many jobs at once that are named one by one. */
const NAMED_ROUTES = [
  defineRoute({
    method: "POST",
    path: "/api/v1/bulk/enqueue",
    id: "enqueueJobs",
    tag: "Jobs",
    summary: "Enqueue jobs, all or none.",
    description: "The outcomes are in the order of the jobs. With unique keys a repeat is safe.",
    access: ["jobs:enqueue"],
    body: object({ jobs: list(ENQUEUE_BODY, { minItems: 1, maxItems: 500 }) }),
    answer: { status: 201, schema: object({ jobs: list(ENQUEUED) }), words: "They are stored." },
    handle: async ({ body }, api) => ({ jobs: await enqueueMany(api.database, body.jobs as readonly NewJob[]) }),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/bulk/reveal",
    id: "revealJobs",
    tag: "Jobs",
    summary: "Payloads and results of jobs. The look is in the audit trail; what is not there is left out.",
    access: ["payloads:read"],
    body: object({ ids: list(ID, { minItems: 1, maxItems: 100 }), reason: optional(REASON) }),
    answer: {
      schema: object({ jobs: list(object({ id: ID, payload: anything(), result: anything() })) }),
      words: "What the jobs carry.",
    },
    handle: async ({ body, principal }, api) => {
      const shown = await api.reveals.show(body.ids, principal.actor, body.reason ?? "shown through the API");
      return { jobs: [...shown.values()] };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/bulk/reveal-schedules",
    id: "revealSchedules",
    tag: "Schedules",
    summary: "What the jobs of schedules carry. The look is in the audit trail; what is not there is left out.",
    access: ["payloads:read"],
    body: object({ names: list(SCHEDULE_NAME, { minItems: 1, maxItems: 100 }), reason: optional(REASON) }),
    answer: {
      schema: object({
        schedules: list(object({ name: text(), payload: anything(), options: record(anything()) })),
      }),
      words: "Payload and options of their jobs.",
    },
    handle: async ({ body, principal }, api) => {
      const reason = body.reason ?? "shown through the API";
      return { schedules: [...(await api.reveals.showSchedules(body.names, principal.actor, reason)).values()] };
    },
  }),
];

/** Routes that do something to many jobs: each with a dry run, a cap, and one audit event for all. */
const FILTERED_ROUTES = ACTS.map(({ verb, scope, summary, run }) =>
  defineRoute({
    method: "POST",
    path: `/api/v1/bulk/${verb}`,
    id: `${verb}Jobs`,
    tag: "Jobs",
    summary,
    description:
      "The oldest first, at most `max`. What somebody is changing at that moment is left out: repeat until nothing matches. Ask with `dryRun` first.",
    access: [scope],
    body: BULK_BODY,
    answer: { schema: BULK_ANSWER, words: "What was done, or would be." },
    handle: async ({ body, principal }, api) => {
      const { filter, reason, max, dryRun = false } = body;
      return { ...(await run(api.database, filter, { actor: principal.actor, reason, max, dryRun })), dryRun };
    },
  }),
);

/** Routes that do something with many jobs. */
export const BULK_ROUTES = [...FILTERED_ROUTES, ...NAMED_ROUTES];

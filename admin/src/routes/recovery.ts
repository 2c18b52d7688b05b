import { recoverStale } from "@jobqueue/store";
import { type Api, defineRoute } from "../route.ts";
import { flag, integer, list, object, oneOf, optional, text } from "../schema.ts";
import { ID, QUEUE_NAME, REASON } from "./shapes.ts";

const CHOICE = {
  queue: optional(QUEUE_NAME),
  max: optional(integer({ minimum: 1, maximum: 100_000, description: "At most so many jobs; 1000 when absent." })),
  olderThanSeconds: optional(
    integer({ minimum: 0, maximum: 31_536_000, description: "Only jobs claimed at least so long ago." }),
  ),
  workers: optional(list(ID, { minItems: 1, maxItems: 1000, description: "Only jobs of these workers." })),
  policy: optional(oneOf(["retry", "fail", "hold"], { description: "In place of what job or queue say." })),
};

const RECOVERED = object({
  dryRun: flag(),
  jobs: list(
    object({
      id: ID,
      queue: text(),
      workerId: text(),
      outcome: oneOf(["retried", "dead", "failed", "held", "cancelled"], {
        description:
          "retried: pending again, no attempt spent; dead: it lost too many workers; failed, held: by policy.",
      }),
    }),
  ),
});

interface Choice {
  readonly queue?: string | undefined;
  readonly max?: number | undefined;
  readonly olderThanSeconds?: number | undefined;
  readonly workers?: readonly string[] | undefined;
  readonly policy?: "retry" | "fail" | "hold" | undefined;
}

/** Recovers stale jobs, or says what that would do. Sweeps may wait for a grace; who asks by hand does not. */
export async function recover(
  api: Pick<Api, "database">,
  choice: Choice,
  act: { actor: string; reason: string },
  dryRun: boolean,
) {
  const jobs = await recoverStale(api.database, { ...choice, ...act, graceSeconds: 0, dryRun });
  return { dryRun, jobs };
}

/** Routes of recovery. */
export const RECOVERY_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/recovery",
    id: "previewRecovery",
    tag: "Recovery",
    summary: "Jobs of lost workers, and what recovering them now would do.",
    access: ["jobs:read"],
    query: CHOICE,
    answer: { schema: RECOVERED, words: "What would be done." },
    handle: async ({ query, principal }, api) =>
      recover(api, query, { actor: principal.actor, reason: "preview" }, true),
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/recovery",
    id: "recoverStale",
    tag: "Recovery",
    summary: "Hand jobs of lost workers on.",
    description: "What the lost workers say of these jobs later is void. Repeating it is safe: each job moves once.",
    access: ["jobs:recover"],
    body: object({
      ...CHOICE,
      reason: optional(REASON),
      dryRun: optional(flag()),
    }),
    bodyOptional: true,
    answer: { schema: RECOVERED, words: "What was done." },
    handle: async ({ body, principal }, api) => {
      const { reason = "recovered through the API", dryRun = false, ...choice } = body ?? {};
      return recover(api, choice, { actor: principal.actor, reason }, dryRun);
    },
  }),
];

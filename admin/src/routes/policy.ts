import { configureQueue, queuePolicy } from "@jobqueue/store";
import { asJson } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { decimal, flag, integer, nullable, object, oneOf, optional } from "../schema.ts";
import { RETRY } from "./new-job.ts";
import { QUEUE_NAME, REASON } from "./shapes.ts";

const LIMIT = { minimum: 1, maximum: 1_000_000 };

/** Settings of a queue; the rules are those of the store. */
const SETTINGS = {
  maxAttempts: nullable(integer({ minimum: 1, maximum: 1000, description: "Null: 5." })),
  timeoutSeconds: nullable(decimal({ minimum: 0, maximum: 604_800, description: "Null: no limit." })),
  resultTtlSeconds: nullable(integer({ minimum: 0, maximum: 315_360_000, description: "Null: as long as the job." })),
  retry: nullable(RETRY),
  onWorkerLoss: nullable(oneOf(["retry", "fail", "hold"])),
  maxRecoveries: nullable(integer({ minimum: 1, maximum: 1000, description: "The loss that makes a job dead." })),
  maxRunning: nullable(integer({ minimum: 0, maximum: 1_000_000, description: "Null: no limit; 0 stops the queue." })),
  maxRunningPerKey: nullable(integer({ ...LIMIT, description: "Of each concurrency key. Null: no limit." })),
  fair: nullable(flag({ description: "Concurrency keys take turns." })),
  rate: nullable(
    object(
      { count: integer(LIMIT), perSeconds: optional(decimal({ minimum: 0.001, maximum: 86_400 })) },
      { description: "Most starts per time. Null: no limit." },
    ),
  ),
};

const POLICY = object(SETTINGS);
const CHANGES = object(
  {
    maxAttempts: optional(SETTINGS.maxAttempts),
    timeoutSeconds: optional(SETTINGS.timeoutSeconds),
    resultTtlSeconds: optional(SETTINGS.resultTtlSeconds),
    retry: optional(SETTINGS.retry),
    onWorkerLoss: optional(SETTINGS.onWorkerLoss),
    maxRecoveries: optional(SETTINGS.maxRecoveries),
    maxRunning: optional(SETTINGS.maxRunning),
    maxRunningPerKey: optional(SETTINGS.maxRunningPerKey),
    fair: optional(SETTINGS.fair),
    rate: optional(SETTINGS.rate),
  },
  { description: "What is not named is left as it is; null puts back the default." },
);

async function findPolicy(api: Pick<Api, "database">, queue: string) {
  const policy = await queuePolicy(api.database, queue);
  if (policy === undefined) throw new Problem("not_found", `The store has no queue ${queue}.`);
  return asJson(policy);
}

/** Routes of what a queue says about its jobs, and of its limits. */
export const POLICY_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/queues/{queue}/policy",
    id: "getPolicy",
    tag: "Queues",
    summary: "Limits of a queue, and what its jobs get that say nothing themselves.",
    access: ["queues:read"],
    queueParam: "queue",
    params: { queue: QUEUE_NAME },
    answer: { schema: object({ queue: QUEUE_NAME, policy: POLICY }), words: "The policy." },
    problems: ["not_found"],
    handle: async ({ params: { queue } }, api) => ({ queue, policy: await findPolicy(api, queue) }),
  }),
  defineRoute({
    method: "PATCH",
    path: "/api/v1/queues/{queue}/policy",
    id: "configureQueue",
    tag: "Queues",
    summary: "Change limits and other settings of a queue; makes the queue known.",
    description:
      "In force at once, but maxAttempts, timeoutSeconds and resultTtlSeconds, which jobs get when they are enqueued. Where a JobQueue object manages the queue, the operator puts back what its spec says.",
    access: ["queues:configure"],
    queueParam: "queue",
    params: { queue: QUEUE_NAME },
    body: object({ policy: CHANGES, reason: REASON }),
    answer: { schema: object({ queue: QUEUE_NAME, changed: flag(), policy: POLICY }), words: "What is in force." },
    handle: async ({ params: { queue }, body, principal }, api) => {
      const act = { actor: principal.actor, reason: body.reason };
      const changed = await configureQueue(api.database, queue, body.policy, act);
      return { queue, changed, policy: await findPolicy(api, queue) };
    },
  }),
];

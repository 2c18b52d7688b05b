import {
  ensureQueue,
  hold,
  listHolds,
  type Hold,
  type QueueStats,
  release,
  serverFacts,
  whyQueue,
} from "@jobqueue/store";
import { asJson, documented } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { flag, instant, integer, list, object, optional, text } from "../schema.ts";
import { FRESHNESS, HOLD, QUEUE, QUEUE_NAME, QUEUE_OR_ALL, REASON, WHY } from "./shapes.ts";

/** Joins counts and holds of queues. */
function withHolds(stats: readonly QueueStats[], holds: readonly Hold[]) {
  return stats.map((queue) => {
    const own = holds.filter((entry) => entry.queue === queue.queue || entry.queue === "*");
    return documented(QUEUE, { ...queue, paused: own.length > 0, holds: own });
  });
}

/** Every queue as it is now. */
export async function readQueues(api: Pick<Api, "database" | "queueStats">) {
  const [stats, holds] = await Promise.all([api.queueStats.read(), listHolds(api.database)]);
  return {
    queues: withHolds(stats.value, holds),
    everyQueue: asJson(holds.filter((entry) => entry.queue === "*")),
    at: stats.at.toISOString(),
    partial: stats.partial,
  };
}

/** The name of a hold: one word, or several. */
const HOLD_NAME = text({
  description: "Names the hold within its queue.",
  minLength: 1,
  maxLength: 128,
  examples: ["smtp-down"],
});

const HELD = { queue: QUEUE_OR_ALL, paused: flag(), holds: list(HOLD) };
const HOLDING = object(HELD);

async function holding(api: Api, queue: string) {
  const holds = await listHolds(api.database, queue);
  const own = queue === "*" ? holds.filter((entry) => entry.queue === "*") : holds;
  return { queue, paused: own.length > 0, holds: asJson(own) };
}

/** When a hold ends, by the database's clock. */
async function endOf(api: Api, wanted: { until?: string | undefined; forSeconds?: number | undefined }) {
  if (wanted.until !== undefined && wanted.forSeconds !== undefined) {
    throw new Problem("bad_request", "The fields until and forSeconds say the same thing; give one of them.", {
      field: "until",
    });
  }
  if (wanted.forSeconds === undefined) return wanted.until;
  const { now } = await serverFacts(api.database);
  return new Date(now.getTime() + wanted.forSeconds * 1000);
}

/** The hold that belongs to Git: the operator puts it back within seconds, so nobody places it by hand. */
const SPEC = "spec";

const HOLD_BODY = object({
  reason: REASON,
  until: optional(instant({ description: "When it ends by itself." })),
  forSeconds: optional(
    integer({ minimum: 1, maximum: 31_536_000, description: "After how many seconds it ends by itself." }),
  ),
});

/** Routes of queues and holds. */
export const QUEUE_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/queues",
    id: "listQueues",
    tag: "Queues",
    summary: "Every queue with its counts and holds, by name.",
    access: ["queues:read"],
    answer: {
      schema: object({ queues: list(QUEUE), everyQueue: list(HOLD, { description: "Holds of *." }), ...FRESHNESS }),
      words: "The queues.",
    },
    handle: async (_call, api) => readQueues(api),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/queues/{queue}",
    id: "getQueue",
    tag: "Queues",
    summary: "One queue with its counts and holds.",
    access: ["queues:read"],
    queueParam: "queue",
    params: { queue: QUEUE_NAME },
    answer: { schema: object({ queue: QUEUE, ...FRESHNESS }), words: "The queue." },
    problems: ["not_found"],
    handle: async ({ params }, api) => {
      const { queues, at, partial } = await readQueues(api);
      const queue = queues.find((entry) => entry.queue === params.queue);
      if (queue === undefined) throw new Problem("not_found", `The store has no queue ${params.queue}.`);
      return { queue, at, partial };
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/api/v1/queues/{queue}",
    id: "ensureQueue",
    tag: "Queues",
    summary: "Make a queue known before its first job.",
    access: ["jobs:enqueue", "queues:pause"],
    queueParam: "queue",
    params: { queue: QUEUE_NAME },
    answer: { schema: object({ queue: QUEUE_NAME, created: flag() }), words: "It is known." },
    handle: async ({ params }, api) => ({
      queue: params.queue,
      created: await ensureQueue(api.database, params.queue),
    }),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/queues/{queue}/why",
    id: "whyQueue",
    tag: "Queues",
    summary: "Why the jobs of a queue do not start, the most important reason first.",
    access: ["queues:read"],
    queueParam: "queue",
    params: { queue: QUEUE_NAME },
    answer: { schema: WHY, words: "The reasons; one named nothing when nothing stands in the way." },
    handle: async ({ params }, api) => ({ reasons: await whyQueue(api.database, params.queue) }),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/queues/{queue}/holds",
    id: "listHolds",
    tag: "Queues",
    summary: "What pauses a queue: its own holds, and those of *.",
    access: ["queues:read"],
    queueParam: "queue",
    params: { queue: QUEUE_OR_ALL },
    answer: { schema: HOLDING, words: "The holds in force." },
    handle: async ({ params }, api) => holding(api, params.queue),
  }),
  defineRoute({
    method: "PUT",
    path: "/api/v1/queues/{queue}/holds/{hold}",
    id: "placeHold",
    tag: "Queues",
    summary: "Pause a queue, or * for all, by a hold; placing it again changes it.",
    description:
      "Once this is answered no worker starts another job of the queue; what runs goes on. The hold stays until it is released or ends by itself, whatever restarts.",
    access: ["queues:pause"],
    queueParam: "queue",
    params: { queue: QUEUE_OR_ALL, hold: HOLD_NAME },
    body: HOLD_BODY,
    answer: {
      schema: object({ ...HELD, changed: flag({ description: "False when it was so before." }) }),
      words: "It is in force.",
    },
    problems: ["conflict"],
    handle: async ({ params, body, principal }, api) => {
      if (params.hold === SPEC) {
        throw new Problem(
          "conflict",
          "The hold spec belongs to the JobQueue object: set its spec.state to Paused, or choose another name.",
        );
      }
      const until = await endOf(api, body);
      const { reason } = body;
      const changed = await hold(api.database, {
        queue: params.queue,
        name: params.hold,
        reason,
        actor: principal.actor,
        source: "api",
        until,
      });
      return { ...(await holding(api, params.queue)), changed };
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/api/v1/queues/{queue}/holds/{hold}",
    id: "releaseHold",
    tag: "Queues",
    summary: "Release one hold; others keep the queue paused.",
    access: ["queues:pause"],
    queueParam: "queue",
    params: { queue: QUEUE_OR_ALL, hold: HOLD_NAME },
    query: { reason: optional(REASON) },
    answer: { schema: HOLDING, words: "It is released; `holds` are those that are left." },
    problems: ["not_found"],
    handle: async ({ params, query, principal }, api) => {
      const reason = query.reason ?? "released through the API";
      const released = await release(api.database, {
        queue: params.queue,
        name: params.hold,
        actor: principal.actor,
        reason,
      });
      if (!released) throw new Problem("not_found", `No hold ${params.hold} is in force on ${params.queue}.`);
      return holding(api, params.queue);
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/holds",
    id: "listAllHolds",
    tag: "Queues",
    summary: "Every hold in force.",
    access: ["queues:read"],
    answer: { schema: object({ holds: list(HOLD) }), words: "The holds." },
    handle: async (_call, api) => ({ holds: asJson(await listHolds(api.database)) }),
  }),
];

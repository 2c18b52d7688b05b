import { hold, listHolds, release, serverFacts } from "@jobqueue/store";
import { asJson } from "../json.ts";
import { type Api, defineRoute } from "../route.ts";
import { HOLD, QUEUE_OR_ALL, REASON } from "../routes/shapes.ts";
import { flag, instant, integer, list, nullable, object, optional } from "../schema.ts";

/** The one hold that these routes place: pausing twice is pausing once. */
const HOLD_NAME = "river";

const QUEUE = object({
  name: QUEUE_OR_ALL,
  paused: flag(),
  paused_at: nullable(instant({ description: "Since when; null when it is not paused." })),
  holds: list(HOLD, { description: "Everything that pauses it." }),
});

/** A queue as these routes tell it: what pauses it and since when. */
async function queueOf(api: Api, name: string) {
  const holds = (await listHolds(api.database, name)).filter((entry) => name !== "*" || entry.queue === "*");
  const since = holds.map((entry) => entry.since.getTime());
  const pausedAt = since.length === 0 ? null : new Date(Math.min(...since)).toISOString();
  return { name, paused: holds.length > 0, paused_at: pausedAt, holds: asJson(holds) };
}

/** Pause and resume of River: one queue, or `*`. */
export const RIVER_ROUTES = [
  defineRoute({
    method: "PUT",
    path: "/api/queues/{queue}/pause",
    id: "riverPauseQueue",
    tag: "River",
    summary: "Pause a queue, or * for every queue, also those made later.",
    description:
      "No worker starts another job; what runs goes on. It holds before any worker exists and across restarts.",
    access: ["queues:pause"],
    queueParam: "queue",
    params: { queue: QUEUE_OR_ALL },
    body: object({ reason: optional(REASON), forSeconds: optional(integer({ minimum: 1, maximum: 31_536_000 })) }),
    bodyOptional: true,
    answer: { schema: QUEUE, words: "It is paused." },
    handle: async ({ params, body, principal }, api) => {
      const seconds = body?.forSeconds;
      const until =
        seconds === undefined ? undefined : new Date((await serverFacts(api.database)).now.getTime() + seconds * 1000);
      const reason = body?.reason ?? "paused through the API";
      await hold(api.database, {
        queue: params.queue,
        name: HOLD_NAME,
        reason,
        actor: principal.actor,
        source: "api",
        until,
      });
      return queueOf(api, params.queue);
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/api/queues/{queue}/resume",
    id: "riverResumeQueue",
    tag: "River",
    summary: "Resume a queue, or what * paused: releases every hold that people placed.",
    description:
      "The hold that a JobQueue's or JobStore's spec.state asserts is not released: its owner would put it back. `paused` says whether something still pauses the queue.",
    access: ["queues:pause"],
    queueParam: "queue",
    params: { queue: QUEUE_OR_ALL },
    body: object({ reason: optional(REASON) }),
    bodyOptional: true,
    answer: { schema: QUEUE, words: "What people placed is released." },
    handle: async ({ params, body, principal }, api) => {
      const reason = body?.reason ?? "resumed through the API";
      for (const { queue, name, source } of await listHolds(api.database, params.queue)) {
        if (queue !== params.queue || source === "spec") continue;
        await release(api.database, { queue, name, actor: principal.actor, reason });
      }
      return queueOf(api, params.queue);
    },
  }),
];

import { DEPTH_STEP_SECONDS } from "../depth-history.ts";
import { asJson } from "../json.ts";
import { defineRoute } from "../route.ts";
import { decimal, instant, integer, list, nullable, object, optional, text } from "../schema.ts";
import { COUNT, QUEUE_NAME } from "./shapes.ts";

/** How far back charts go. */
export const SERIES_MINUTES = 60;

const DEPTH = object({
  queue: text(),
  points: list(object({ at: instant(), pending: COUNT, running: COUNT, oldestPendingSeconds: nullable(decimal()) }), {
    description: "The oldest first; a gap is a time in which the store did not answer.",
  }),
});

const ENDED = object({
  queue: text(),
  minute: instant({ description: "Begin of the minute." }),
  completed: COUNT,
  dead: COUNT,
  cancelled: COUNT,
  p50Ms: nullable(decimal({ minimum: 0 })),
  p95Ms: nullable(decimal({ minimum: 0 })),
});

/** Charts of the last hour. */
export const SERIES = object({
  stepSeconds: { ...integer({ minimum: 1, maximum: 3600 }), description: "Between two depths." },
  minutes: integer({ minimum: 1, maximum: 1440 }),
  depth: list(DEPTH, { description: "As this server saw them since it started, at most an hour." }),
  ended: list(ENDED, { description: "By minute; minutes in which nothing ended are absent." }),
  endedAt: {
    ...nullable(instant()),
    description: "When `ended` was read: a large store takes long, and nobody waits. Null: not yet.",
  },
});

/** Routes of what charts show. */
export const SERIES_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/series",
    id: "readSeries",
    tag: "Store",
    summary: "Depth, oldest age, throughput and latency of the queues over the last hour.",
    access: ["queues:read"],
    query: { queue: optional(QUEUE_NAME) },
    answer: { schema: SERIES, words: "The series." },
    handle: async ({ query }, api) => {
      const { minutes, at } = await api.ended.read();
      const ended = query.queue === undefined ? minutes : minutes.filter(({ queue }) => queue === query.queue);
      return {
        stepSeconds: DEPTH_STEP_SECONDS,
        minutes: SERIES_MINUTES,
        depth: api.depths.of(query.queue),
        ended: asJson(ended),
        endedAt: at?.toISOString() ?? null,
      };
    },
  }),
];

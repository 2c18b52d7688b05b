import { JOB_STATE_NAMES, schemaVersion, serverFacts } from "@jobqueue/store";
import { defineRoute, RawAnswer } from "../route.ts";
import { SCOPE_NAMES } from "../auth/scopes.ts";
import { instant, integer, list, object, oneOf, text } from "../schema.ts";
import { COUNT, FRESHNESS } from "./shapes.ts";

/** Routes of the store as a whole, and of who asks. */
export const STORE_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/store",
    id: "getStore",
    tag: "Store",
    summary: "The store: its schema, its server, its clock.",
    // Whoever sees times needs the clock that they are by.
    access: ["queues:read", "jobs:read", "workers:read", "schedules:read", "audit:read"],
    answer: {
      schema: object({
        schema: text(),
        schemaVersion: integer({ minimum: 0, maximum: 1e6 }),
        serverVersion: text(),
        now: instant(),
      }),
      words: "The store.",
    },
    handle: async (_call, api) => {
      const { version, now } = await serverFacts(api.database);
      const installed = (await schemaVersion(api.database)) ?? 0;
      return { schema: api.database.schema, schemaVersion: installed, serverVersion: version, now: now.toISOString() };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/counts",
    id: "countJobs",
    tag: "Store",
    summary: "How many jobs there are by queue, kind and state, those that ended included.",
    access: ["queues:read"],
    answer: {
      schema: object({
        counts: list(object({ queue: text(), kind: text(), state: oneOf(JOB_STATE_NAMES), jobs: COUNT })),
        ...FRESHNESS,
      }),
      words: "The counts.",
    },
    handle: async (_call, api) => {
      const { value, at, partial } = await api.jobCounts.read();
      return { counts: value, at: at.toISOString(), partial };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/events",
    id: "watch",
    tag: "Store",
    summary: "Live updates, as server-sent events.",
    description:
      "`queues` is the answer of /api/v1/queues, and `workers` that of /api/v1/workers: at once, and again whenever it changed. `trouble` says that the store does not answer; the next other event means that it does again. A slow reader misses what was in between, never the latest.",
    access: ["queues:read"],
    answer: { schema: text(), contentType: "text/event-stream", words: "A stream that does not end." },
    problems: ["unavailable"],
    handle: async (_call, api) => new RawAnswer("text/event-stream", api.live.open()),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/whoami",
    id: "whoAmI",
    tag: "Server",
    summary: "Who the server takes you for, and what you may do.",
    access: "public",
    answer: {
      schema: object({ actor: text(), by: oneOf(["key", "kubernetes", "nothing"]), scopes: list(oneOf(SCOPE_NAMES)) }),
      words: "You.",
    },
    handle: async ({ principal }) => {
      const allowed = await Promise.all(SCOPE_NAMES.map(async (scope) => principal.may(scope)));
      return {
        actor: principal.actor,
        by: principal.by,
        scopes: SCOPE_NAMES.filter((_scope, index) => allowed[index]),
      };
    },
  }),
];

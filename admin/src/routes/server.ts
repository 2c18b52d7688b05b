import { defineRoute, RawAnswer } from "../route.ts";
import { anything, text } from "../schema.ts";

const TEXT = "text/plain; charset=utf-8";

/** Routes of the server itself. */
export const SERVER_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/livez",
    id: "livez",
    tag: "Server",
    summary: "Whether the process turns. Asks nobody: a store that is away is no reason to restart it.",
    access: "public",
    answer: { schema: text(), contentType: TEXT, words: "It does." },
    handle: async () => new RawAnswer(TEXT, "ok\n"),
  }),
  defineRoute({
    method: "GET",
    path: "/readyz",
    id: "readyz",
    tag: "Server",
    summary: "Whether the store answers and has the schema that is needed; 503 and what is missing when not.",
    access: "public",
    answer: { schema: text(), contentType: TEXT, words: "It does." },
    handle: async (_call, api) => {
      const waiting = await api.waitingFor();
      return waiting.length === 0
        ? new RawAnswer(TEXT, "ok\n")
        : new RawAnswer(TEXT, `waiting for ${waiting.join(", ")}\n`, 503);
    },
  }),
  defineRoute({
    method: "GET",
    path: "/metrics",
    id: "metrics",
    tag: "Server",
    summary: "Metrics, in the format of Prometheus.",
    description:
      "While the store does not answer this does: jobqueue_admin_store_up is 0, and a key is enough that was good in the last quarter of an hour.",
    access: ["metrics:read"],
    withoutStore: true,
    answer: { schema: text(), contentType: TEXT, words: "The metrics." },
    handle: async (_call, api) => {
      const { text: body, contentType } = await api.metrics();
      return new RawAnswer(contentType, body);
    },
  }),
  defineRoute({
    method: "GET",
    path: "/openapi.json",
    id: "openapi",
    tag: "Server",
    summary: "This document.",
    access: "public",
    answer: { schema: anything(), words: "OpenAPI 3.1." },
    handle: async (_call, api) => new RawAnswer("application/json; charset=utf-8", api.document),
  }),
];

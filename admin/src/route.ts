import type { Database, JobCount, QueueStats } from "@jobqueue/store";
import type { Principal } from "./auth/principal.ts";
import type { Scope } from "./auth/scopes.ts";
import type { DepthHistory } from "./depth-history.ts";
import type { EndedHistory } from "./ended-history.ts";
import type { LiveQueues } from "./live/live-queues.ts";
import type { ProblemCode } from "./problem.ts";
import type { Reveals } from "./reveals.ts";
import type { Fields, ObjectOf, Schema } from "./schema.ts";
import type { Snapshot } from "./snapshot.ts";

/** Groups of routes in the document. */
export const TAGS = {
  Queues: "Queues and the holds that pause them.",
  Jobs: "Jobs, one and many.",
  Runs: "What ran, once per generation of a job.",
  Workers: "Worker processes and what is thought of them.",
  Schedules: "Jobs that are enqueued at given times.",
  Recovery: "Jobs of lost workers.",
  Audit: "What people and the operator changed.",
  Store: "The store as a whole.",
  "Posit Connect": "The job queue of Posit Connect, as its clients know it.",
  Publaryn: "The recovery runbook of Publaryn, as it is written.",
  "wcs.backend": "The RQ monitoring of wcs.backend, as its clients know it.",
  River: "Pause and resume as River has them.",
  Server: "This server.",
} as const;

/** What every handler can use. */
export interface Api {
  readonly database: Database;
  /** Counts of every queue: milliseconds where there are thousands of live jobs. */
  readonly queueStats: Snapshot<readonly QueueStats[]>;
  /** Counts by queue, kind and state, of ended jobs too. */
  readonly jobCounts: Snapshot<readonly JobCount[]>;
  /** What ended in the last hour, by queue and minute. */
  readonly ended: EndedHistory;
  readonly depths: DepthHistory;
  readonly live: LiveQueues;
  readonly reveals: Reveals;
  /** The OpenAPI document, as JSON. */
  readonly document: string;
  /** What is missing for the server to be ready, in words. */
  readonly waitingFor: () => Promise<readonly string[]>;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

/** A request, checked against the route's schemas, of somebody who may make it. */
export interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Principal;
}

/** An answer that is not the JSON of the route's `answer`. */
export class RawAnswer {
  readonly contentType: string;
  readonly body: string | NodeJS.ReadableStream;
  readonly status: number | undefined;

  constructor(contentType: string, body: string | NodeJS.ReadableStream, status?: number) {
    this.contentType = contentType;
    this.body = body;
    this.status = status;
  }
}

/** Who may call a route: everybody, or who has one of these scopes. */
type Access = "public" | readonly [Scope, ...Scope[]];

/** One row of the closed table of routes: everything that server, document, matrix and fuzzer need. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As in OpenAPI: `/api/v1/queues/{queue}`. */
  readonly path: string;
  /** Name of the operation in generated clients. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  /** One line. */
  readonly summary: string;
  readonly description?: string | undefined;
  readonly access: Access;
  /** The path parameter that names a queue, for permissions on single queues. */
  readonly queueParam?: string | undefined;
  /** It answers with what the server has itself while the store cannot be asked. */
  readonly withoutStore?: boolean | undefined;
  readonly params: Fields;
  readonly query: Fields;
  readonly body: Schema<unknown> | undefined;
  /** The body may be left out. */
  readonly bodyOptional?: boolean | undefined;
  readonly answer: {
    readonly status: number;
    readonly schema: Schema<unknown>;
    readonly contentType?: string;
    readonly words: string;
  };
  /** What can go wrong beside what can with every request. */
  readonly problems: readonly ProblemCode[];
  readonly handle: (call: Call<never, never, never>, api: Api) => Promise<unknown>;
}

/** What is written down for a route. */
interface RouteDefinition<P extends Fields, Q extends Fields, B, A> extends Omit<
  Route,
  "params" | "query" | "body" | "answer" | "problems" | "handle"
> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: Schema<B>;
  readonly answer: {
    readonly status?: number;
    readonly schema: Schema<A>;
    readonly contentType?: string;
    readonly words?: string;
  };
  readonly problems?: readonly ProblemCode[];
  readonly handle: (call: Call<ObjectOf<P>, ObjectOf<Q>, B>, api: Api) => Promise<A | RawAnswer>;
}

/** Makes a row of the table; types of the handler come from the schemas. */
export function defineRoute<P extends Fields = Fields, Q extends Fields = Fields, B = undefined, A = unknown>(
  route: RouteDefinition<P, Q, B, A>,
): Route {
  return {
    ...route,
    params: route.params ?? {},
    query: route.query ?? {},
    body: route.body,
    answer: { status: 200, words: "Done.", ...route.answer },
    problems: route.problems ?? [],
    handle: route.handle,
  };
}

import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Log } from "@jobqueue/operator/runtime";
import type { Authenticator } from "./auth/authenticator.ts";
import { readAuthorization } from "./auth/credentials.ts";
import type { Principal } from "./auth/principal.ts";
import { serveDashboard } from "./dashboard/serve.ts";
import { refuseCrossSite, refuseForeignHost } from "./same-site.ts";
import type { AdminMetrics } from "./metrics.ts";
import { Problem, toProblem } from "./problem.ts";
import { bodyProblem, readTexts, type SchemaComplaint } from "./request-check.ts";
import { type Api, type Call, RawAnswer, type Route } from "./route.ts";
import { EventStream } from "./live/event-stream.ts";

/** What the server over a table of routes needs. */
export interface HttpOptions {
  readonly routes: readonly Route[];
  readonly api: Api;
  readonly authenticator: Authenticator;
  readonly metrics: AdminMetrics;
  readonly log: Log;
  /** It listens on a loopback address. */
  readonly local: boolean;
  /** Turns a path by which another system knows a route into ours. */
  readonly rewrite: (path: string) => string;
}

/** A payload may have 1 MiB as text, and escapes in JSON take room. */
const BODY_LIMIT = 2 * 1024 * 1024;
/** Whole time in which a request must have arrived: what a slow sender may hold a socket for (D3). */
const REQUEST_TIMEOUT_MS = 15_000;
/** Requests answered at once; more wait for nothing but a place in the queue of the pool, so they are told to come again. */
const MAX_IN_FLIGHT = 200;

/** Headers of every answer but the dashboard's: none of them is a page, so nothing may be loaded, framed or guessed. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

declare module "fastify" {
  interface FastifyRequest {
    /** Who makes the request; there from the first hook on. */
    principal: Principal | undefined;
  }
  interface FastifyContextConfig {
    route?: Route;
  }
}

/** Makes the HTTP server of a table of routes; it does not listen yet. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const { routes, rewrite, local, metrics } = options;
  const app = fastify({
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 0,
    keepAliveTimeout: 72_000,
    forceCloseConnections: true,
    // What a proxy says of the caller is not believed.
    trustProxy: false,
    logger: false,
    rewriteUrl: (request) => rewrite(request.url ?? "/"),
    routerOptions: { maxParamLength: 2048, ignoreTrailingSlash: true },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        allowUnionTypes: true,
        strictTypes: false,
      },
    },
    schemaErrorFormatter: ([complaint]) => bodyProblem(complaint as SchemaComplaint),
    frameworkErrors: (error, _request, reply) => {
      answerProblem(options, error, reply);
    },
  });
  // Answers are what handlers return: nothing is dropped in silence; a test holds them to their schemas.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest("principal", undefined);
  // Some clients say that they send JSON and send nothing: where a body may be left out, that is leaving it out.
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
    const { route } = request.routeOptions.config;
    if (text === "" && (route?.body === undefined || route.bodyOptional)) done(null, undefined);
    else parseJson(text as string, done);
  });

  app.addHook("onRequest", async (request, reply) => {
    void reply.headers(HEADERS);
    if (local) count("host", () => refuseForeignHost(request.headers.host));
    count("cross_site", () => refuseCrossSite(request.method, request.headers));
    const { route } = request.routeOptions.config;
    if (route === undefined) return;
    await admit(options, route, request);
  });
  function count(reason: string, refuse: () => void): void {
    try {
      refuse();
    } catch (error) {
      metrics.refused.inc({ reason });
      throw error;
    }
  }
  app.addHook("onResponse", (request, reply, done) => {
    const operation = request.routeOptions.config.route?.id ?? "none";
    metrics.requests.observe({ operation, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    done();
  });

  let inFlight = 0;
  for (const route of routes) {
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      config: { route },
      ...(route.body && {
        schema: { body: route.bodyOptional ? { anyOf: [route.body, { type: "null" }] } : route.body },
      }),
      handler: async (request, reply) => {
        if (inFlight >= MAX_IN_FLIGHT && route.access !== "public") {
          metrics.refused.inc({ reason: "overload" });
          throw new Problem("unavailable", "Too many requests at once; try again.", { retryAfterSeconds: 1 });
        }
        metrics.inFlight.set(++inFlight);
        try {
          return await handle(options, route, request, reply);
        } finally {
          metrics.inFlight.set(--inFlight);
        }
      },
    });
  }
  serveDashboard(app);
  app.setErrorHandler(async (error, _request, reply) => answerProblem(options, error, reply));
  app.setNotFoundHandler(async (request, reply) => answerProblem(options, nothingThere(routes, request), reply));
  return app;
}

function parseJson(text: string, done: (error: Error | null, body?: unknown) => void): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    done(new Problem("bad_request", `The body is no JSON: ${(error as Error).message.slice(0, 200)}.`));
    return;
  }
  done(null, body);
}

/** Finds out who it is and whether they may; before the body is read, so that strangers cannot send any. */
async function admit({ authenticator }: HttpOptions, route: Route, request: FastifyRequest): Promise<void> {
  const credentials = readAuthorization(request.raw.headersDistinct["authorization"]);
  const principal = await authenticator.principalOf(credentials, {
    from: request.socket.remoteAddress ?? "",
    withoutStore: route.withoutStore === true,
  });
  request.principal = principal;
  if (route.access === "public") return;
  const queue =
    route.queueParam === undefined ? undefined : (request.params as Record<string, string>)[route.queueParam];
  await authenticator.demand(principal, route.access, queue);
}

async function handle(
  { api }: HttpOptions,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const call = {
    params: readTexts(request.params as Record<string, unknown>, route.params, "path"),
    query: readTexts(request.query as Record<string, unknown>, route.query, "query"),
    body: request.body ?? undefined,
    principal: request.principal,
  } as Call<never, never, never>;
  const answer = await route.handle(call, api);
  if (answer instanceof RawAnswer) {
    if (answer.body instanceof EventStream) void reply.header("x-accel-buffering", "no");
    return reply
      .code(answer.status ?? route.answer.status)
      .type(answer.contentType)
      .send(answer.body);
  }
  if (answer === undefined) return reply.code(route.answer.status).send();
  return reply.code(route.answer.status).type("application/json; charset=utf-8").send(answer);
}

function answerProblem({ log }: HttpOptions, error: unknown, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  // An outage meets every request: a line each, and the whole story only of what is a defect.
  if (problem.code === "internal") log.error({ err: problem.cause ?? problem }, "a request met a defect");
  else if (problem.status >= 500) {
    log.warn(
      { code: problem.code, because: (problem.cause as Error | undefined)?.message ?? problem.message },
      "a request failed",
    );
  }
  if (problem.code === "unauthorized") {
    // Basic makes a browser ask its person; a program that sent another scheme reads the text.
    // A script asks its person itself (the dashboard does), and must not have the browser's own box in its way.
    const byScript = reply.request.headers["sec-fetch-dest"] === "empty";
    void reply.header(
      "www-authenticate",
      byScript ? 'Bearer realm="jobqueue"' : 'Basic realm="jobqueue", charset="UTF-8"',
    );
  }
  if (problem.code === "method_not_allowed") void reply.header("allow", (problem.more.allowed ?? []).join(", "));
  if (problem.retryAfterSeconds !== undefined) void reply.header("retry-after", problem.retryAfterSeconds);
  return reply.code(problem.status).headers(HEADERS).type("application/json; charset=utf-8").send(problem.body);
}

/** No route: either no such path, or one with other methods. */
function nothingThere(routes: readonly Route[], request: FastifyRequest): Problem {
  const path = request.url.split("?")[0] ?? "";
  const methods = routes.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method);
  if (methods.length === 0)
    return new Problem("not_found", "There is nothing at this path; /openapi.json says what there is.");
  return new Problem("method_not_allowed", `${request.method} is not for this path; there are ${methods.join(", ")}.`, {
    allowed: methods,
  });
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+")}/?$`);
}

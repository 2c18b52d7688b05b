import { type ProblemCode, PROBLEM_SCHEMA, PROBLEMS } from "../problem.ts";
import { type Route, TAGS } from "../route.ts";
import { type Fields, isOptional, type Schema, withoutMark } from "../schema.ts";
import { SCOPES } from "../auth/scopes.ts";

/** What every request can meet, whatever the route. */
const ALWAYS: readonly ProblemCode[] = ["bad_request", "too_many_requests", "internal", "unavailable", "timeout"];
const GUARDED: readonly ProblemCode[] = ["unauthorized", "forbidden"];
const WITH_BODY: readonly ProblemCode[] = ["too_large", "unsupported_media_type"];

/** Everything that can go wrong with a route, by HTTP status. */
export function problemsOf(route: Route): ReadonlyMap<number, readonly ProblemCode[]> {
  const codes = new Set<ProblemCode>([
    ...ALWAYS,
    // Credentials that are wrong are refused even where none are needed.
    ...(route.access === "public" ? ["unauthorized" as const] : GUARDED),
    ...(route.body ? WITH_BODY : []),
    ...route.problems,
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return new Map([...byStatus].toSorted(([a], [b]) => a - b));
}

/** The OpenAPI 3.1 document of a table of routes. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return {
    openapi: "3.1.0",
    info: {
      title: "JobQueue admin API",
      version,
      description:
        "Queues, jobs, workers, schedules, recovery and audit of one store, and the routes by which other systems know a job queue. Ids are strings. Unknown parameters are refused.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: Object.entries(TAGS)
      .filter(([name]) => routes.some((route) => route.tag === name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      securitySchemes: {
        key: { type: "apiKey", in: "header", name: "Authorization", description: "`Key jqk_…`, an API key." },
        bearer: { type: "http", scheme: "bearer", description: "An API key, or a token of the cluster." },
        basic: { type: "http", scheme: "basic", description: "An API key as the password." },
      },
    },
  };
}

function operation(route: Route): object {
  const { access, answer } = route;
  const mayBe = access === "public" ? "Everybody may." : `Needs the scope ${access.join(" or ")}.`;
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    description: route.description === undefined ? mayBe : `${route.description} ${mayBe}`,
    parameters: [...parameters(route.params, "path"), ...parameters(route.query, "query")],
    ...(route.body && {
      requestBody: { required: route.bodyOptional !== true, content: { "application/json": { schema: route.body } } },
    }),
    responses: {
      [answer.status]: {
        description: answer.words,
        ...(answer.status !== 204 && {
          content: { [answer.contentType ?? "application/json"]: { schema: withoutMark(answer.schema) } },
        }),
      },
      ...Object.fromEntries(
        [...problemsOf(route)].map(([status, codes]) => [
          status,
          {
            description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].means}`).join(" "),
            content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" } } },
          },
        ]),
      ),
    },
    security: access === "public" ? [{}] : [{ key: [] }, { bearer: [] }, { basic: [] }],
    ...(access !== "public" && { "x-scopes": access, "x-rbac": access.map(rbacOf) }),
  };
}

/** The RBAC rule that grants a scope to a user of the cluster. */
function rbacOf(scope: keyof typeof SCOPES): object {
  const { verb, subresource } = SCOPES[scope];
  return { apiGroup: "jobqueue.dev", resource: subresource === "" ? "jobqueues" : `jobqueues/${subresource}`, verb };
}

function parameters(fields: Fields, place: "path" | "query"): object[] {
  return Object.entries(fields).map(([name, schema]) => {
    const { description, ...rest } = withoutMark(schema) as Schema<unknown> & { readonly description?: string };
    return {
      name,
      in: place,
      required: place === "path" || (!isOptional(schema) && schema["default"] === undefined),
      ...(description !== undefined && { description }),
      schema: rest,
      ...(rest["type"] === "array" && { style: "form", explode: true }),
    };
  });
}

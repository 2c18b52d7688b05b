import { cancelJob, deleteJob, enqueue, getJob, listJobs, retryJob, whyJob } from "@jobqueue/store";
import type { Job, NewJob } from "@jobqueue/store";
import { documented } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { anything, described, flag, integer, list, object, oneOf, optional } from "../schema.ts";
import { JOB_QUERY, readLabels } from "./job-filter.ts";
import { ENQUEUE_BODY, ENQUEUED } from "./new-job.ts";
import { ID, JOB, LIMIT, NEXT, REASON, WHY } from "./shapes.ts";

/** A job for an answer: payload and result are never in it. */
function publicJob({ payload: _payload, result: _result, ...job }: Job) {
  return documented(JOB, job);
}

/** A job that was asked for by id, or a 404. */
export async function findJob(api: Pick<Api, "database">, id: string): Promise<Job> {
  const job = await getJob(api.database, id, { payloads: false });
  if (job === undefined) throw noJob(id);
  return job;
}

/** There is no job of that id. */
function noJob(id: string): Problem {
  return new Problem(
    "not_found",
    `The store has no job ${id}; it may have been deleted, or its history is no longer kept.`,
  );
}

/** An act that the state of the job forbids. */
function forbiddenByState(what: string, id: string, state: string, instead: string): Problem {
  return new Problem("conflict", `Job ${id} is ${state} and cannot be ${what}. ${instead}`, { state });
}

const ACT_BODY = object({ reason: optional(REASON) });
const id = { id: ID };

/** What a list of jobs can be sorted by, and what that is in the store. */
const SORTS = { created: "id", queue: "queue", kind: "kind", active: "running", worker: "worker" } as const;

/** Where a page of jobs begins: behind an id, which any page costs the same by, or behind so many, which any order knows. */
const PAGE_QUERY = {
  live: optional(flag({ description: "Only jobs that have not ended." })),
  sort: optional(
    oneOf(Object.keys(SORTS) as (keyof typeof SORTS)[], {
      description: "The newest first when absent. Any other order reads everything that the filter means.",
    }),
  ),
  order: optional(oneOf(["asc", "desc"], { description: "asc when `sort` is given." })),
  offset: optional(
    integer({ minimum: 0, maximum: 100_000, description: "Leaves out so many: pages of a sorted list." }),
  ),
  limit: LIMIT,
  after: optional(described(ID, "`next` of the page before.")),
};

/** Runs a job again, or says why not. */
export async function retryOrRefuse(
  api: Pick<Api, "database">,
  jobId: string,
  act: { actor: string; reason: string },
): Promise<void> {
  const outcome = await retryJob(api.database, jobId, act);
  if (outcome === "retried") return;
  if (outcome === "not_found") throw noJob(jobId);
  if (outcome === "duplicate") {
    throw new Problem(
      "conflict",
      `Another live job has the unique key of job ${jobId}; cancel or delete that one first.`,
    );
  }
  throw forbiddenByState("retried", jobId, outcome, "Only failed and dead jobs are, and those that recovery holds.");
}

/** Deletes a job that has not started, or says why not. */
export async function deleteOrRefuse(
  api: Pick<Api, "database">,
  jobId: string,
  act: { actor: string; reason: string },
): Promise<void> {
  const outcome = await deleteJob(api.database, jobId, act);
  if (outcome === "deleted") return;
  if (outcome === "not_found") throw noJob(jobId);
  const instead =
    outcome === "running"
      ? "A worker is processing it: cancel it instead."
      : "It has ended; its history goes by itself.";
  throw forbiddenByState("deleted", jobId, outcome, instead);
}

/** Routes of single jobs and their list. */
export const JOB_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/api/v1/jobs",
    id: "listJobs",
    tag: "Jobs",
    summary: "Jobs, live and ended, the newest first, a page at a time.",
    access: ["jobs:read"],
    query: {
      ...JOB_QUERY,
      ...PAGE_QUERY,
    },
    answer: { schema: object({ jobs: list(JOB), next: NEXT }), words: "A page of jobs." },
    handle: async ({ query }, api) => {
      const { limit, after, label, sort, order, ...filter } = query;
      const sorted = sort !== undefined || order !== undefined || filter.offset !== undefined;
      if (sorted && after !== undefined) {
        throw new Problem("bad_request", "after is for the list without sort, order and offset; use offset there.", {
          field: "after",
        });
      }
      const found = await listJobs(api.database, {
        ...filter,
        labels: readLabels(label),
        limit,
        payloads: false,
        ...(sorted && { order: { by: SORTS[sort ?? "created"], descending: order === "desc" } }),
        ...(after !== undefined && { afterId: after }),
      });
      return { jobs: found.map(publicJob), next: sorted || found.length < limit ? null : (found.at(-1)?.id ?? null) };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/jobs",
    id: "enqueueJob",
    tag: "Jobs",
    summary: "Enqueue a job.",
    description: "With a uniqueKey a repeat is safe: it answers `duplicate` and the id of the job that is there.",
    access: ["jobs:enqueue"],
    body: ENQUEUE_BODY,
    answer: {
      status: 201,
      schema: ENQUEUED,
      words: "It is stored.",
    },
    handle: async ({ body }, api) => enqueue(api.database, body as NewJob),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/jobs/{id}",
    id: "getJob",
    tag: "Jobs",
    summary: "One job as it is now, without what it carries.",
    access: ["jobs:read"],
    params: id,
    answer: { schema: JOB, words: "The job." },
    problems: ["not_found"],
    handle: async ({ params }, api) => publicJob(await findJob(api, params.id)),
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/jobs/{id}/payload",
    id: "revealJob",
    tag: "Jobs",
    summary: "Payload and result of a job. The look is in the audit trail.",
    access: ["payloads:read"],
    params: id,
    query: { reason: optional(REASON) },
    answer: { schema: object({ id: ID, payload: anything(), result: anything() }), words: "What the job carries." },
    problems: ["not_found"],
    handle: async ({ params, query, principal }, api) => {
      const shown = await api.reveals.show([params.id], principal.actor, query.reason ?? "shown through the API");
      const found = shown.get(params.id);
      if (found === undefined) throw noJob(params.id);
      return found;
    },
  }),
  defineRoute({
    method: "GET",
    path: "/api/v1/jobs/{id}/why",
    id: "whyJob",
    tag: "Jobs",
    summary: "Why a job does not run, the most important reason first.",
    access: ["jobs:read"],
    params: id,
    answer: { schema: WHY, words: "The reasons." },
    problems: ["not_found"],
    handle: async ({ params }, api) => {
      const reasons = await whyJob(api.database, params.id);
      if (reasons.some(({ code }) => code === "not_found")) throw noJob(params.id);
      return { reasons };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/jobs/{id}/cancel",
    id: "cancelJob",
    tag: "Jobs",
    summary: "Cancel a job: at once, or by asking the worker that runs it.",
    access: ["jobs:cancel"],
    params: id,
    body: ACT_BODY,
    bodyOptional: true,
    answer: {
      schema: object({ id: ID, outcome: oneOf(["cancelled", "requested"]) }),
      words: "Cancelled, or its worker was asked.",
    },
    problems: ["not_found", "conflict"],
    handle: async ({ params, body, principal }, api) => {
      const reason = body?.reason ?? "cancelled through the API";
      const outcome = await cancelJob(api.database, params.id, { actor: principal.actor, reason });
      // Of a job that was cancelled before the answer is the same: a repeated call is no error.
      if (outcome === "cancelled" || outcome === "requested") return { id: params.id, outcome };
      if (outcome === "not_found") throw noJob(params.id);
      throw forbiddenByState("cancelled", params.id, outcome, "It has ended.");
    },
  }),
  defineRoute({
    method: "POST",
    path: "/api/v1/jobs/{id}/retry",
    id: "retryJob",
    tag: "Jobs",
    summary: "Run a failed or dead job again, with all attempts before it. Its last error is kept.",
    access: ["jobs:retry"],
    params: id,
    body: ACT_BODY,
    bodyOptional: true,
    answer: { schema: JOB, words: "It is pending." },
    problems: ["not_found", "conflict"],
    handle: async ({ params, body, principal }, api) => {
      await retryOrRefuse(api, params.id, {
        actor: principal.actor,
        reason: body?.reason ?? "retried through the API",
      });
      return publicJob(await findJob(api, params.id));
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/api/v1/jobs/{id}",
    id: "deleteJob",
    tag: "Jobs",
    summary: "Delete a job that has not started, as if it had never been enqueued.",
    access: ["jobs:delete"],
    params: id,
    query: { reason: optional(REASON) },
    answer: { schema: object({ id: ID, deleted: flag() }), words: "It is gone." },
    problems: ["not_found", "conflict"],
    handle: async ({ params, query, principal }, api) => {
      const reason = query.reason ?? "deleted through the API";
      await deleteOrRefuse(api, params.id, { actor: principal.actor, reason });
      return { id: params.id, deleted: true };
    },
  }),
];

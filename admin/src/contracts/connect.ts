import { type Job, listJobs, listRuns, listWorkers, type QueueStats, type Run } from "@jobqueue/store";
import { asJson } from "../json.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { deleteOrRefuse } from "../routes/jobs.ts";
import { COUNT, ID, QUEUE_NAME } from "../routes/shapes.ts";
import { anything, flag, instant, integer, list, nullable, object, oneOf, optional, text } from "../schema.ts";

/** Columns of Connect's queue view, and what they are here. */
const SORTS = { created_time: "id", queue: "queue", type: "kind", active: "running", hostname: "worker" } as const;

const ITEM = object({
  id: ID,
  created_time: instant({ description: "When the item was added to the queue." }),
  queue: text({ description: "Which queue the item belongs to." }),
  type: text({ description: "The type of work: the kind of the job." }),
  active: flag({ description: "Whether a worker is processing the item." }),
  payload: anything({ description: "The work to be done; null without the scope payloads:read." }),
  hostname: nullable(text({ description: "The node that processes the item." })),
});

/** Unfinished jobs of some queues, from the counts. */
function totalOf(stats: readonly QueueStats[], queues: readonly string[] | undefined): number {
  return stats
    .filter(({ queue }) => queues === undefined || queues.includes(queue))
    .reduce(
      (sum, { pending, scheduled, running, failed, deferred }) =>
        sum + pending + scheduled + running + failed + deferred,
      0,
    );
}

/** Hosts of the workers that run these jobs, by the worker's id. */
async function hostsOf(api: Api, jobs: readonly Job[]): Promise<ReadonlyMap<string, string | null>> {
  if (!jobs.some(({ state }) => state === "running")) return new Map();
  const workers = await listWorkers(api.database, { includeGone: true });
  return new Map(workers.map(({ id, node, hostname, pod }) => [id, node ?? hostname ?? pod]));
}

const when = nullable(instant());

/** The fields of get_jobs, as connectapi documents them, in its order. */
const RUN = object({
  id: text({ description: "The job identifier." }),
  ppid: nullable(text()),
  pid: nullable(text()),
  key: text({ description: "The job's unique key identifier." }),
  remote_id: nullable(text({ description: "The job's identifier for off-host execution: the pod." })),
  app_id: nullable(text({ description: "The label app_id of the job." })),
  variant_id: nullable(text()),
  bundle_id: nullable(text()),
  start_time: when,
  end_time: when,
  last_heartbeat_time: when,
  queued_time: instant(),
  queue_name: text(),
  tag: text(),
  exit_code: nullable(integer({ minimum: -(2 ** 31), maximum: 2 ** 31 })),
  status: { ...integer({ minimum: 0, maximum: 2 }), description: "Active: 0, Finished: 1, Finalized: 2." },
  hostname: nullable(text()),
  cluster: nullable(text()),
  image: nullable(text()),
  run_as: nullable(text()),
});

/** A run without the fields that are ours. */
function runOf({ job_id: _job, generation: _generation, ...run }: Run) {
  return asJson(run);
}

const GUID = text({ description: "The content: the label app_id of its jobs.", minLength: 1, maxLength: 1024 });
/** As many as anybody can look at; get_jobs knows no pages. */
const MAX_RUNS = 10_000;

/** The job queue of Posit Connect: `/__api__` before these paths, and whatever is before that, is taken off. */
export const CONNECT_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/v1/queue",
    id: "connectListQueue",
    tag: "Posit Connect",
    summary: "Items of the queues: jobs that have not ended, the oldest first.",
    access: ["jobs:read"],
    query: {
      queue_names: optional(list(QUEUE_NAME, { maxItems: 100, description: "Only these queues." })),
      page_size: integer({ minimum: 1, maximum: 500, default: 50 }),
      page_number: integer({ minimum: 1, maximum: 100_000, default: 1 }),
      sort: oneOf(Object.keys(SORTS) as (keyof typeof SORTS)[], {
        default: "created_time",
        description: "The column to sort by.",
      }),
      order: oneOf(["asc", "desc"], { default: "asc" }),
    },
    answer: { schema: object({ results: list(ITEM), current_page: COUNT, total: COUNT }), words: "A page of items." },
    handle: async ({ query, principal }, api) => {
      const { queue_names: queues, page_size: limit, page_number: page } = query;
      const offset = (page - 1) * limit;
      if (offset > 100_000)
        throw new Problem("bad_request", "So far back there are no pages; name fewer queues.", {
          field: "page_number",
        });
      const order = { by: SORTS[query.sort], descending: query.order === "desc" };
      const [jobs, stats] = await Promise.all([
        listJobs(api.database, { queues, live: true, limit, offset, order, payloads: false }),
        api.queueStats.read(),
      ]);
      const hosts = await hostsOf(api, jobs);
      const shown = (await principal.may("payloads:read"))
        ? await api.reveals.show(
            jobs.map(({ id }) => id),
            principal.actor,
            "the list of queue items",
          )
        : undefined;
      const results = jobs.map((job) => ({
        id: job.id,
        created_time: job.createdAt.toISOString(),
        queue: job.queue,
        type: job.kind,
        active: job.state === "running",
        payload: shown?.get(job.id)?.payload ?? null,
        hostname: job.state === "running" ? (hosts.get(job.workerId ?? "") ?? null) : null,
      }));
      return { results, current_page: page, total: totalOf(stats.value, queues) };
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/queue/{id}",
    id: "connectDeleteQueueItem",
    tag: "Posit Connect",
    summary: "Delete an item that has not yet started processing.",
    description: "For many items at once there is POST /api/v1/bulk/delete.",
    access: ["jobs:delete"],
    params: { id: ID },
    answer: { status: 204, schema: anything(), words: "It is gone." },
    problems: ["not_found", "conflict"],
    handle: async ({ params, principal }, api) => {
      await deleteOrRefuse(api, params.id, { actor: principal.actor, reason: "deleted from the queue" });
      return undefined;
    },
  }),
  defineRoute({
    method: "GET",
    path: "/v1/content/{guid}/jobs",
    id: "connectListJobs",
    tag: "Posit Connect",
    summary: "The runs of a content item, the newest first: what get_jobs of connectapi reads.",
    access: ["jobs:read"],
    params: { guid: GUID },
    answer: { schema: list(RUN), words: `The runs, at most ${MAX_RUNS}.` },
    handle: async ({ params }, api) =>
      (await listRuns(api.database, { appId: params.guid, limit: MAX_RUNS })).map(runOf),
  }),
  defineRoute({
    method: "GET",
    path: "/v1/content/{guid}/jobs/{key}",
    id: "connectGetJob",
    tag: "Posit Connect",
    summary: "One run of a content item, by its key.",
    access: ["jobs:read"],
    params: { guid: GUID, key: text({ minLength: 1, maxLength: 1024 }) },
    answer: { schema: RUN, words: "The run." },
    problems: ["not_found"],
    handle: async ({ params }, api) => {
      const [run] = await listRuns(api.database, { appId: params.guid, key: params.key, limit: 1 });
      if (run === undefined) throw new Problem("not_found", `Content ${params.guid} has no job ${params.key}.`);
      return runOf(run);
    },
  }),
];

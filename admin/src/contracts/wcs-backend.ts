import { getJob, type Job, type JobState, listJobs, type QueueStats } from "@jobqueue/store";
import type { Principal } from "../auth/principal.ts";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { COUNT } from "../routes/shapes.ts";
import { anything, integer, list, nullable, object, optional, text } from "../schema.ts";

/**
 * RQ's registries, in the order of the source, and the states of ours that are in each. A job that failed and waits for its
 * next attempt is, in RQ, a scheduled one; one whose attempts are spent is in the failed registry.
 */
const REGISTRIES: Readonly<Record<string, readonly JobState[]>> = {
  started_job_registry: ["running"],
  deferred_job_registry: ["deferred"],
  canceled_job_registry: ["cancelled"],
  failed_job_registry: ["dead"],
  finished_job_registry: ["completed"],
  scheduled_job_registry: ["scheduled", "failed"],
};

/** Most jobs that a registry shows; its count says how many there are. */
const MAX_ITEMS = 1000;

const REGISTRY = object({ "@id": text(), name: text(), count: COUNT });
const QUEUE = object({ "@id": text(), name: text(), count: COUNT, registries: list(REGISTRY) });

/** A naive time in UTC, as Python's isoformat writes it. */
const TIME = nullable(
  text({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d$", examples: ["2026-06-03T08:00:00"] }),
);

const JOB_FIELDS = {
  id: text(),
  description: text(),
  args: list(anything(), { description: "What the job was called with; empty without the scope payloads:read." }),
  created: TIME,
  enqueued: TIME,
  ended: TIME,
  scheduled: TIME,
  func_name: text(),
  retries_left: COUNT,
  return_value: anything({ description: "Null without the scope payloads:read." }),
  ttl: nullable(COUNT),
  result_ttl: nullable(integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  last_job_result: nullable(text({ description: "The error of the last run, when it failed." })),
};
const JOB = object(JOB_FIELDS);

function naive(time: Date | null): string | null {
  return time === null ? null : time.toISOString().slice(0, 19);
}

/** What the function was called with: a list as it is, `args` of an object that has it, else the payload as the one argument. */
function argsOf(payload: unknown): readonly unknown[] {
  if (Array.isArray(payload)) return payload as readonly unknown[];
  const { args } = (payload ?? {}) as { readonly args?: unknown };
  return Array.isArray(args) ? (args as readonly unknown[]) : [payload];
}

function jobOf(job: Job, carried: { readonly payload: unknown; readonly result: unknown } | undefined) {
  const args = carried === undefined ? [] : argsOf(carried.payload);
  const shown = carried === undefined ? "…" : args.map((arg) => JSON.stringify(arg)).join(", ");
  const waits = job.state === "scheduled" || job.state === "failed";
  return {
    id: job.id,
    description: `${job.kind}(${shown})`.slice(0, 2000),
    args,
    created: naive(job.createdAt),
    enqueued:
      job.state === "scheduled" || job.state === "deferred"
        ? null
        : naive(waits ? job.createdAt : later(job.createdAt, job.runAt)),
    ended: naive(job.finishedAt),
    scheduled: waits ? naive(job.runAt) : null,
    func_name: job.kind,
    retries_left: Math.max(0, job.maxAttempts - job.attempt),
    return_value: carried?.result ?? null,
    ttl: null,
    result_ttl: job.resultTtlSeconds,
    last_job_result: job.state === "completed" ? null : job.lastError,
  };
}

function later(a: Date, b: Date): Date {
  return a.getTime() > b.getTime() ? a : b;
}

async function carriedBy(api: Api, jobs: readonly Job[], principal: Principal) {
  if (jobs.length === 0 || !(await principal.may("payloads:read"))) return undefined;
  return api.reveals.show(
    jobs.map(({ id }) => id),
    principal.actor,
    "the RQ monitoring",
  );
}

/** Jobs by queue and state. Of the states only completed ones need all jobs to be counted. */
async function readQueues(api: Api) {
  const [stats, counts] = await Promise.all([api.queueStats.read(), api.jobCounts.read()]);
  const completed = new Map<string, number>();
  for (const { queue, state, jobs } of counts.value) {
    if (state === "completed") completed.set(queue, (completed.get(queue) ?? 0) + jobs);
  }
  const names = [...new Set([...stats.value.map(({ queue }) => queue), ...completed.keys()])].toSorted();
  return names.map((name) => {
    const own = stats.value.find(({ queue }) => queue === name);
    return queueOf(name, own, completed.get(name) ?? 0);
  });
}

function queueOf(name: string, stats: QueueStats | undefined, completed: number) {
  const countOf = (state: JobState): number => (state === "completed" ? completed : (stats?.[state] ?? 0));
  return {
    "@id": `@rq-queues/${name}`,
    name,
    count: countOf("pending"),
    registries: Object.entries(REGISTRIES).map(([registry, states]) => ({
      "@id": `@rq-queues/${name}/${registry}`,
      name: registry,
      count: states.reduce((sum, state) => sum + countOf(state), 0),
    })),
  };
}

async function findQueue(api: Api, name: string) {
  const found = (await readQueues(api)).find((queue) => queue.name === name);
  if (found === undefined) throw new Problem("not_found", `The store has no queue ${name}.`);
  return found;
}

const NAME = text({ minLength: 1, maxLength: 200 });

/** The RQ monitoring of wcs.backend, below any site: what is before the `@` is taken off. */
export const WCS_BACKEND_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/@rq-queues",
    id: "rqListQueues",
    tag: "wcs.backend",
    summary: "All queues with their counts and registries, by name.",
    access: ["queues:read"],
    answer: { schema: object({ "@id": text(), items: list(QUEUE) }), words: "The queues." },
    handle: async (_call, api) => ({ "@id": "@rq-queues", items: await readQueues(api) }),
  }),
  defineRoute({
    method: "GET",
    path: "/@rq-queues/{queue}",
    id: "rqGetQueue",
    tag: "wcs.backend",
    summary: "One queue.",
    access: ["queues:read"],
    queueParam: "queue",
    params: { queue: NAME },
    answer: { schema: QUEUE, words: "The queue." },
    problems: ["not_found"],
    handle: async ({ params }, api) => findQueue(api, params.queue),
  }),
  defineRoute({
    method: "GET",
    path: "/@rq-queues/{queue}/{registry}",
    id: "rqGetRegistry",
    tag: "wcs.backend",
    summary: "One registry of a queue, with the jobs it holds.",
    access: ["jobs:read"],
    params: { queue: NAME, registry: text({ minLength: 1, maxLength: 100 }) },
    answer: {
      schema: object({ "@id": text(), name: text(), count: COUNT, items: list(JOB) }),
      words: `The registry, with at most ${MAX_ITEMS} jobs, the newest first.`,
    },
    problems: ["not_found"],
    handle: async ({ params, principal }, api) => {
      const queue = await findQueue(api, params.queue);
      const registry = queue.registries.find(({ name }) => name === params.registry);
      if (registry === undefined) {
        throw new Problem("not_found", `There is no registry ${params.registry}.`, {
          allowed: Object.keys(REGISTRIES),
        });
      }
      const states = REGISTRIES[registry.name] ?? [];
      const found = await Promise.all(
        states.map(async (state) =>
          listJobs(api.database, { queue: queue.name, state, limit: MAX_ITEMS, payloads: false }),
        ),
      );
      const jobs = found
        .flat()
        .toSorted((a, b) => Number(b.id) - Number(a.id))
        .slice(0, MAX_ITEMS);
      const carried = await carriedBy(api, jobs, principal);
      // Counts may be of a moment ago; what is here is not.
      const count = jobs.length < MAX_ITEMS ? jobs.length : registry.count;
      return { ...registry, count, items: jobs.map((job) => jobOf(job, carried?.get(job.id))) };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/@rq-job/{queue}/{id}",
    id: "rqGetJob",
    tag: "wcs.backend",
    summary: "One job of a queue, such as to poll it; an empty object when it is not there.",
    access: ["jobs:read"],
    params: { queue: NAME, id: NAME },
    answer: {
      schema: object(Object.fromEntries(Object.entries(JOB_FIELDS).map(([name, schema]) => [name, optional(schema)]))),
      words: "The job, or an empty object.",
    },
    handle: async ({ params, principal }, api): Promise<Readonly<Record<string, unknown>>> => {
      const known = /^[0-9]{1,18}$/.test(params.id);
      const job = known ? await getJob(api.database, params.id, { payloads: false }) : undefined;
      if (job === undefined || job.queue !== params.queue) return {};
      const carried = await carriedBy(api, [job], principal);
      return jobOf(job, carried?.get(job.id));
    },
  }),
];

import type { BulkFilter, Enqueued, Job, NewJob, Reason, RecoveredJob } from "@jobqueue/store";
import { type AdminApi, AdminProblem, type Asked } from "./admin-api.ts";
import { type InJson, withInstants } from "./instants.ts";
import type { Source } from "./source.ts";

/** What the API says of a job: what it carries is asked for by itself. */
type JobInJson = Omit<InJson<Job>, "payload" | "result">;
type Carried = Pick<Job, "id" | "payload" | "result">;
type Calls =
  | "cancelJob"
  | "cancelJobs"
  | "deleteJob"
  | "deleteJobs"
  | "enqueueMany"
  | "getJob"
  | "listJobs"
  | "recoverStale"
  | "retryJob"
  | "retryJobs"
  | "whyJob";

/** As many payloads as the API shows at once. */
export const REVEALED_AT_ONCE = 100;
/** Why they are looked at, in the audit trail: every look through the API is an event. */
export const LOOK = "shown by the command line";

const withTimes = withInstants<Job>({
  createdAt: true,
  runAt: true,
  claimedAt: true,
  finishedAt: true,
  resultExpiresAt: true,
  lockedUntil: true,
});

const jobOf = (json: JobInJson, carried?: Carried): Job =>
  withTimes({ ...json, payload: carried?.payload ?? null, result: carried?.result ?? null });

/** What `undefined` stands for where there is nothing of that id. */
export async function orNothing<T, Nothing>(answer: Promise<T>, nothing: Nothing): Promise<T | Nothing> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AdminProblem && error.status === 404) return nothing;
    throw error;
  }
}

/** What a job is that an act was refused for: not there, in this state, or `duplicate` (its unique key is taken). */
async function orRefusal<Done extends string>(answer: Promise<Done>): Promise<Done> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof AdminProblem)) throw error;
    // The set of outcomes is the store's: the API gives it on as it is.
    if (error.status === 404) return "not_found" as Done;
    if (error.status === 409) return (error.state ?? "duplicate") as Done;
    throw error;
  }
}

/** Jobs through the admin API. */
export function adminJobs(api: AdminApi): Pick<Source, Calls> {
  const bulk =
    (verb: "retry" | "cancel" | "delete"): Source["retryJobs"] =>
    async (filter: BulkFilter, { reason, max, dryRun }) =>
      api.ask("POST", `bulk/${verb}`, { body: { filter, reason, max, dryRun } });

  const reveal = async (ids: readonly string[]): Promise<ReadonlyMap<string, Carried>> => {
    const shown: Carried[] = [];
    for (let from = 0; from < ids.length; from += REVEALED_AT_ONCE) {
      const body = { ids: ids.slice(from, from + REVEALED_AT_ONCE), reason: LOOK };
      shown.push(...(await api.ask<{ jobs: Carried[] }>("POST", "bulk/reveal", { body })).jobs);
    }
    return new Map(shown.map((one) => [one.id, one]));
  };

  return {
    retryJobs: bulk("retry"),
    cancelJobs: bulk("cancel"),
    deleteJobs: bulk("delete"),
    retryJob: async (id, { reason }) =>
      orRefusal(api.ask("POST", `jobs/${id}/retry`, { body: { reason } }).then(() => "retried" as const)),
    cancelJob: async (id, { reason }) =>
      orRefusal(
        api
          .ask<{ outcome: "cancelled" | "requested" }>("POST", `jobs/${id}/cancel`, { body: { reason } })
          .then(({ outcome }) => outcome),
      ),
    deleteJob: async (id, { reason }) =>
      orRefusal(api.ask("DELETE", `jobs/${id}`, { query: { reason } }).then(() => "deleted" as const)),
    enqueueMany: async (jobs: readonly NewJob[]) =>
      (await api.ask<{ jobs: Enqueued[] }>("POST", "bulk/enqueue", { body: { jobs } })).jobs,
    getJob: async (id, { payloads = true } = {}) => {
      const found = await orNothing(api.ask<JobInJson>("GET", `jobs/${id}`), undefined);
      if (found === undefined) return undefined;
      return jobOf(found, payloads ? (await reveal([id])).get(id) : undefined);
    },
    listJobs: async ({ payloads = true, labels, afterId, queues, order, ...filter } = {}) => {
      if (queues !== undefined || order !== undefined)
        throw new TypeError("no verb lists by several queues, or sorted");
      const label = labels && Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const query: Asked["query"] = { ...filter, label, after: afterId };
      const { jobs } = await api.ask<{ jobs: JobInJson[] }>("GET", "jobs", { query });
      const carried = payloads && jobs.length > 0 ? await reveal(jobs.map(({ id }) => id)) : undefined;
      return jobs.map((job) => jobOf(job, carried?.get(job.id)));
    },
    recoverStale: async ({ queue, max, olderThanSeconds, workers, policy, dryRun, reason } = {}) => {
      const choice = { queue, max, olderThanSeconds, workers, policy };
      const answer = dryRun
        ? api.ask<{ jobs: RecoveredJob[] }>("GET", "recovery", { query: choice })
        : api.ask<{ jobs: RecoveredJob[] }>("POST", "recovery", { body: { ...choice, reason } });
      return (await answer).jobs;
    },
    whyJob: async (id) => {
      const answer = await orNothing(api.ask<{ reasons: Reason[] }>("GET", `jobs/${id}/why`), undefined);
      return answer?.reasons ?? [{ rank: 1, code: "not_found", message: `There is no job ${id}.`, detail: {} }];
    },
  };
}

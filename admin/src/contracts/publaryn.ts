import { type Job, JOB_STATE_NAMES, type JobCount, type JobState, listJobs } from "@jobqueue/store";
import { Problem } from "../problem.ts";
import { type Api, defineRoute } from "../route.ts";
import { findJob, retryOrRefuse } from "../routes/jobs.ts";
import { recover } from "../routes/recovery.ts";
import { COUNT, FRESHNESS, ID } from "../routes/shapes.ts";
import { decimal, flag, instant, integer, list, nullable, object, oneOf, optional, record, text } from "../schema.ts";

const when = nullable(instant());

const JOB = object({
  id: ID,
  queue: text(),
  kind: text(),
  state: oneOf(JOB_STATE_NAMES),
  attempts: COUNT,
  max_attempts: COUNT,
  last_error: nullable(text({ description: "Kept across retries." })),
  locked_by: nullable(text()),
  locked_until: when,
  is_stale: flag(),
  can_retry: flag(),
  recovery_hint: nullable(text()),
  created_at: instant(),
  scheduled_at: instant(),
  started_at: when,
  completed_at: when,
});

function jobOf(job: Job) {
  return {
    id: job.id,
    queue: job.queue,
    kind: job.kind,
    state: job.state,
    attempts: job.attempt,
    max_attempts: job.maxAttempts,
    last_error: job.lastError,
    locked_by: job.lockedBy,
    locked_until: job.lockedUntil?.toISOString() ?? null,
    is_stale: job.isStale,
    can_retry: job.canRetry,
    recovery_hint: job.recoveryHint,
    created_at: job.createdAt.toISOString(),
    scheduled_at: job.runAt.toISOString(),
    started_at: job.claimedAt?.toISOString() ?? null,
    completed_at: job.finishedAt?.toISOString() ?? null,
  };
}

const SUMMARY = object({
  by_status: record(COUNT, { description: "Jobs by state; every state is there." }),
  by_kind: record(COUNT, { description: "Jobs by kind, those that ended included as long as they are kept." }),
  oldest_pending_age_minutes: nullable(decimal({ minimum: 0 })),
  stale_jobs_count: COUNT,
  ...FRESHNESS,
});

function sumBy(counts: readonly JobCount[], key: "state" | "kind"): Record<string, number> {
  const sums = new Map<string, number>();
  for (const count of counts) sums.set(count[key], (sums.get(count[key]) ?? 0) + count.jobs);
  return Object.fromEntries(sums);
}

/** The whole queue in a few numbers, and how many jobs a filter means. */
async function summarize(api: Api, filter: { state?: JobState | undefined; kind?: string | undefined }) {
  const [stats, counts] = await Promise.all([api.queueStats.read(), api.jobCounts.read()]);
  const ages = stats.value.flatMap(({ oldestPendingSeconds }) =>
    oldestPendingSeconds === null ? [] : [oldestPendingSeconds],
  );
  const meant = counts.value.filter(
    ({ state, kind }) =>
      (filter.state === undefined || state === filter.state) && (filter.kind === undefined || kind === filter.kind),
  );
  return {
    total: meant.reduce((sum, { jobs }) => sum + jobs, 0),
    summary: {
      by_status: { ...Object.fromEntries(JOB_STATE_NAMES.map((state) => [state, 0])), ...sumBy(counts.value, "state") },
      by_kind: sumBy(counts.value, "kind"),
      oldest_pending_age_minutes: ages.length === 0 ? null : Math.floor(Math.max(...ages) / 60),
      stale_jobs_count: stats.value.reduce((sum, { stale }) => sum + stale, 0),
      at: counts.at.toISOString(),
      partial: counts.partial || stats.partial,
    },
  };
}

/** The recovery runbook of Publaryn, as it is written. */
export const PUBLARYN_ROUTES = [
  defineRoute({
    method: "GET",
    path: "/v1/admin/jobs",
    id: "publarynListJobs",
    tag: "Publaryn",
    summary: "Jobs, the newest first, and a summary of the whole queue.",
    access: ["audit:read"],
    query: {
      state: optional(oneOf(JOB_STATE_NAMES)),
      kind: optional(text({ minLength: 1, maxLength: 200 })),
      page: integer({ minimum: 1, maximum: 100_000, default: 1 }),
      per_page: integer({ minimum: 1, maximum: 500, default: 50 }),
    },
    answer: {
      schema: object({ summary: SUMMARY, jobs: list(JOB), page: COUNT, per_page: COUNT, total: COUNT }),
      words: "A page of jobs.",
    },
    handle: async ({ query }, api) => {
      const { state, kind, page, per_page: perPage } = query;
      const offset = (page - 1) * perPage;
      if (offset > 100_000)
        throw new Problem("bad_request", "So far back there are no pages; choose a state or a kind.", {
          field: "page",
        });
      const [jobs, { summary, total }] = await Promise.all([
        listJobs(api.database, { state, kind, limit: perPage, offset, payloads: false }),
        summarize(api, { state, kind }),
      ]);
      return { summary, jobs: jobs.map(jobOf), page, per_page: perPage, total };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/v1/admin/jobs/recover-stale",
    id: "publarynRecoverStale",
    tag: "Publaryn",
    summary: "Reset abandoned running locks to pending. Audited as admin_jobs_recover_stale.",
    access: ["jobs:recover"],
    answer: {
      schema: object({ recovered_count: COUNT, jobs: list(object({ id: ID, outcome: text() })) }),
      words: "What was recovered, at most 10,000 jobs: call again while it is as many.",
    },
    handle: async ({ principal }, api) => {
      const act = { actor: principal.actor, reason: "recover-stale of the recovery runbook" };
      const { jobs } = await recover(api, { max: 10_000 }, act, false);
      return { recovered_count: jobs.length, jobs: jobs.map(({ id, outcome }) => ({ id, outcome })) };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/v1/admin/jobs/{id}/retry",
    id: "publarynRetryJob",
    tag: "Publaryn",
    summary: "Replay a failed or dead job: pending, attempts reset, last_error kept. Audited as admin_job_retry.",
    access: ["jobs:retry"],
    params: { id: ID },
    answer: { schema: JOB, words: "The job." },
    problems: ["not_found", "conflict"],
    handle: async ({ params, principal }, api) => {
      await retryOrRefuse(api, params.id, { actor: principal.actor, reason: "retry of the recovery runbook" });
      return jobOf(await findJob(api, params.id));
    },
  }),
  defineRoute({
    method: "GET",
    path: "/v1/stats",
    id: "publarynStats",
    tag: "Publaryn",
    summary: "A public counter for quick smoke checks.",
    access: "public",
    answer: { schema: object({ job_queue_pending: COUNT }), words: "How many jobs are pending." },
    handle: async (_call, api) => {
      const { value } = await api.queueStats.read();
      return { job_queue_pending: value.reduce((sum, { pending }) => sum + pending, 0) };
    },
  }),
];

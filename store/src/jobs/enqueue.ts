import { quoteIdentifier } from "../connection/identifier.ts";
import { toInstantText } from "../instant.ts";
import { type RetryPolicy, retryJson } from "../retry-policy.ts";
import type { Session } from "../session.ts";
import { enqueueUnderSpan } from "../telemetry/enqueue-span.ts";
import { currentTracer } from "../telemetry/tracer.ts";
import { toJsonText } from "./json-value.ts";

/** A job to be enqueued. What is absent comes from the policy of its queue, else is as stated. */
export interface NewJob {
  readonly queue: string;
  readonly kind: string;
  /** Anything JSON can hold; `{}` when absent. At most 1 MiB as text. */
  readonly payload?: unknown;
  /** Lower runs first; -32768 to 32767, 0 when absent. */
  readonly priority?: number;
  /** Not before this instant by the database's clock. A string needs a time zone. Not together with `delaySeconds`. */
  readonly runAt?: Date | string;
  /** Not before this many seconds from now by the database's clock. */
  readonly delaySeconds?: number;
  /** Attempts before the job is dead; 1 to 1000, else 5. */
  readonly maxAttempts?: number;
  /** Seconds an attempt may take before the worker aborts it; above 0, at most 7 days, else unlimited. */
  readonly timeoutSeconds?: number;
  /** Seconds its result can be read after it completed; 0 keeps none. Else as long as the record itself. */
  readonly resultTtlSeconds?: number;
  /** How long it waits after a failed attempt. */
  readonly retry?: RetryPolicy;
  /** What recovery does when its worker is lost: run it again, make it dead, or keep it for a person. */
  readonly onWorkerLoss?: "retry" | "fail" | "hold";
  /** While a job with this key is live in the store, enqueueing another is a duplicate. At most 200 characters. */
  readonly uniqueKey?: string;
  /** With `replace` the live job with the same key becomes this one, under its id, unless it runs. Else `skip`. */
  readonly uniqueMode?: "skip" | "replace";
  /** Seconds for which the key stays taken after the job ended, so that a late repeat is a duplicate too (G2). */
  readonly uniqueForSeconds?: number;
  /** Jobs of a queue with the same key share its limit per key, and one turn. At most 200 characters. */
  readonly concurrencyKey?: string;
  /** A word to find the job by. At most 200 characters. */
  readonly tag?: string;
  /** Names and values to find the job by; at most 32. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Jobs that must end before this one may run: ids, or ids with a policy. */
  readonly dependsOn?: readonly (string | Dependency)[];
  /** A job that is enqueued when this one ends, however it ends. */
  readonly finaliser?: Finaliser;
  /**
   * W3C Trace Context of whoever enqueues, for the trace to go on in the worker. When absent, and an OpenTelemetry SDK is
   * loaded in this process, that of a span `enqueue <queue>` below the one that is active.
   */
  readonly traceparent?: string;
}

/** A job to wait for. */
export interface Dependency {
  readonly id: string;
  /** When it ends other than completed: `cancel` the waiting job too (else), or `run` it all the same. */
  readonly policy?: "cancel" | "run";
}

/** What to enqueue when a job ends. */
export interface Finaliser {
  readonly kind: string;
  /** The queue of the job itself when absent. */
  readonly queue?: string;
  /** `{"job": id, "generation": n, "state": …}` of the job that ended when absent. */
  readonly payload?: unknown;
}

/** Outcome of an enqueue: a new job, or the job that already has the unique key, as it was or replaced. */
export interface Enqueued {
  readonly id: string;
  readonly outcome: "inserted" | "duplicate" | "replaced";
}

/** Enqueues one job. See `enqueueMany`. */
export async function enqueue(session: Session, job: NewJob): Promise<Enqueued> {
  const [enqueued] = await enqueueMany(session, [job]);
  if (!enqueued) throw new TypeError("the store returned no job");
  return enqueued;
}

/**
 * Enqueues jobs in one statement, all or none; the results are in the order of the jobs. On a `Database` the jobs are
 * committed when this resolves; on a session inside a transaction they commit or vanish with it (G1). After
 * `connection_lost` or `timeout` whether they were stored is unknown: repeat with a `uniqueKey` (G2).
 */
export async function enqueueMany(session: Session, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  if (jobs.length === 0) return [];
  const tracer = currentTracer();
  if (tracer === undefined) return insertJobs(session, jobs);
  return enqueueUnderSpan(tracer, jobs, async (carrying) => insertJobs(session, carrying));
}

async function insertJobs(session: Session, jobs: readonly NewJob[]): Promise<Enqueued[]> {
  const queues = distinct(jobs.map((job) => job.queue));
  const kinds = distinct(jobs.map((job) => job.kind));
  const options = jobs.map((job) => {
    const given = jobOptions(job);
    return given && toJsonText(given, "options");
  });
  const payloads = jobs.map((job, index) =>
    job.payload === undefined
      ? "{}"
      : toJsonText(job.payload, jobs.length === 1 ? "payload" : `payload of job ${index}`),
  );
  // One row, not one per job, and one JSON text: parsing and escaping them one by one took longer than the server.
  const [row] = await session.query<{ ids: string; outcomes: string | null }>(
    `select string_agg(e.id::text, ',') as ids,
       case when bool_or(e.outcome <> 'inserted') then string_agg(e.outcome, ',') end as outcomes
     from ${quoteIdentifier(session.schema)}.enqueue_many($1, $2, array(select json_array_elements($3::json)), $4::jsonb[],
       $5::boolean) e`,
    [
      queues.length === 1 ? queues : jobs.map((job) => job.queue),
      kinds.length === 1 ? kinds : jobs.map((job) => job.kind),
      `[${payloads.join(",")}]`,
      options.some((option) => option !== undefined) ? options.map((option) => option ?? null) : null,
      // Who hints by himself, once for many commits, needs no hint from each.
      session.noteEnqueued ? false : null,
    ],
  );
  session.noteEnqueued?.(queues);
  const outcomes = row?.outcomes?.split(",") as Enqueued["outcome"][] | undefined;
  return (row?.ids.split(",") ?? []).map((id, index) => ({ id, outcome: outcomes?.[index] ?? "inserted" }));
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** Options of a job as SQL reads them; undefined when there are none. */
export function jobOptions(job: Omit<NewJob, "queue" | "kind">): object | undefined {
  // Most jobs have none, and a batch asks for each.
  if (!hasOptions(job)) return undefined;
  const options = {
    priority: job.priority,
    run_at: job.runAt === undefined ? undefined : toInstantText(job.runAt, "runAt"),
    delay_seconds: job.delaySeconds,
    max_attempts: job.maxAttempts,
    timeout_seconds: job.timeoutSeconds,
    result_ttl_seconds: job.resultTtlSeconds,
    retry: retryJson(job.retry),
    on_worker_loss: job.onWorkerLoss,
    unique_key: job.uniqueKey,
    unique_mode: job.uniqueMode,
    unique_for_seconds: job.uniqueForSeconds,
    concurrency_key: job.concurrencyKey,
    tag: job.tag,
    labels: job.labels,
    depends_on: job.dependsOn,
    finaliser: job.finaliser,
    traceparent: job.traceparent,
  };
  return Object.values(options).every((value) => value === undefined) ? undefined : options;
}

function hasOptions(job: object): boolean {
  for (const key in job) {
    if (key !== "queue" && key !== "kind" && key !== "payload") return true;
  }
  return false;
}

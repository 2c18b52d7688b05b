import { quoteIdentifier } from "../connection/identifier.ts";
import { toInstantText } from "../instant.ts";
import type { Session } from "../session.ts";
import { toJsonText } from "./json-value.ts";

/** A job to be enqueued. */
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
  /** Attempts before the job is dead; 1 to 1000, 5 when absent. */
  readonly maxAttempts?: number;
  /** Seconds an attempt may take before the worker aborts it; above 0, at most 7 days. */
  readonly timeoutSeconds?: number;
  /** While a job with this key is live in the store, enqueueing another is a duplicate. At most 200 characters. */
  readonly uniqueKey?: string;
  /** A word to find the job by. At most 200 characters. */
  readonly tag?: string;
  /** Names and values to find the job by; at most 32. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Outcome of an enqueue: a new job, or the live job that already has the unique key. */
export interface Enqueued {
  readonly id: string;
  readonly outcome: "inserted" | "duplicate";
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
  const options = jobs.map(optionsOf);
  const rows = await session.query<Enqueued>(
    `select id, outcome from ${quoteIdentifier(session.schema)}.enqueue_many($1, $2, $3::json[], $4::jsonb[])`,
    [
      jobs.map((job) => job.queue),
      jobs.map((job) => job.kind),
      jobs.map((job, index) =>
        toJsonText(
          job.payload === undefined ? {} : job.payload,
          jobs.length === 1 ? "payload" : `payload of job ${index}`,
        ),
      ),
      options.some((option) => option !== undefined) ? options.map((option) => option ?? null) : null,
    ],
  );
  session.noteEnqueued?.([...new Set(jobs.map((job) => job.queue))]);
  return rows;
}

function optionsOf(job: NewJob): string | undefined {
  const options = {
    priority: job.priority,
    run_at: job.runAt === undefined ? undefined : toInstantText(job.runAt, "runAt"),
    delay_seconds: job.delaySeconds,
    max_attempts: job.maxAttempts,
    timeout_seconds: job.timeoutSeconds,
    unique_key: job.uniqueKey,
    tag: job.tag,
    labels: job.labels,
  };
  if (Object.values(options).every((value) => value === undefined)) return undefined;
  return toJsonText(options, "options");
}

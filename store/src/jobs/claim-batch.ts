import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { claimArguments, type ClaimedJob, type ClaimFloor, type ClaimRequest } from "./claim.ts";

/** The jobs of one claim. All have the same lease token. */
export interface ClaimedBatch {
  readonly jobs: readonly ClaimedJob[];
  /** The lease token of this claim; undefined when it took nothing. */
  readonly leaseToken: string | undefined;
  /** Where the next claim may begin, when this one came back full. */
  readonly floor: ClaimFloor | undefined;
}

interface Row {
  lease_token: string;
  ids: string;
  in_queues: string;
  kinds: string;
  last_run_at: string;
  payloads: string;
  extras: string;
}

/** What a job has beside its queue, kind and payload, when it differs from what most jobs have. */
interface Extras {
  attempt: number;
  max_attempts: number;
  timeout_ms?: number;
  priority: number;
  tag?: string;
  labels?: Record<string, string>;
  options?: Record<string, unknown>;
  generation: number;
  concurrency_key?: string;
  last_chance?: true;
  age_ms?: number;
  lost_traceparent?: string;
}

/** What a null among the extras stands for. */
const USUAL: Extras = { attempt: 1, max_attempts: 5, priority: 0, generation: 1 };

/**
 * `claim` in its fast form: one row from the database and one parse for the whole batch. The same jobs in the same order,
 * without their `runAt`, and a floor for the next claim.
 */
export async function claimBatch(session: Session, request: ClaimRequest): Promise<ClaimedBatch> {
  const [row] = await session.query<Row>(
    `select * from ${quoteIdentifier(session.schema)}.claim_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    claimArguments(request),
  );
  if (!row) return { jobs: [], leaseToken: undefined, floor: undefined };
  const queues = row.in_queues.split(",");
  const kinds = row.kinds.split(",");
  const payloads = JSON.parse(row.payloads) as unknown[];
  const extras = JSON.parse(row.extras) as (Extras | null)[];
  // Most neighbours have the same queue and kind: then they share one string, and the others are gone at once.
  let queue = "";
  let kind = "";
  const jobs = row.ids.split(",").map((id, index): ClaimedJob => {
    const more = extras[index] ?? USUAL;
    if (queues[index] !== queue) queue = queues[index] as string;
    if (kinds[index] !== kind) kind = kinds[index] as string;
    return {
      id,
      queue,
      kind,
      payload: payloads[index],
      attempt: more.attempt,
      maxAttempts: more.max_attempts,
      leaseToken: row.lease_token,
      timeoutMs: more.timeout_ms ?? null,
      priority: more.priority,
      tag: more.tag ?? null,
      labels: more.labels ?? null,
      generation: more.generation,
      options: more.options ?? null,
      concurrencyKey: more.concurrency_key ?? null,
      lastChance: more.last_chance ?? false,
      ageMs: more.age_ms,
      lostTraceparent: more.lost_traceparent,
    };
  });
  return { jobs, leaseToken: row.lease_token, floor: floorOf(jobs, row.last_run_at, request.max) };
}

function floorOf(jobs: readonly ClaimedJob[], lastRunAt: string, max: number): ClaimFloor | undefined {
  const last = jobs.at(-1);
  if (!last || jobs.length < max) return undefined;
  return { queue: last.queue, priority: last.priority, runAt: instantOf(BigInt(lastRunAt)), id: last.id };
}

/** An instant to the microsecond, which a `Date` cannot hold: jobs that came in one statement differ by no more. */
function instantOf(microseconds: bigint): string {
  const rest = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((microseconds - rest) / 1000n)).toISOString().slice(0, 19);
  return `${seconds}.${rest.toString().padStart(6, "0")}Z`;
}

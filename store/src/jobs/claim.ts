import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A job that this worker now holds the lease of. */
export interface ClaimedJob {
  readonly id: string;
  readonly queue: string;
  readonly kind: string;
  readonly payload: unknown;
  /** Which attempt this is, from 1. Not a fence: it repeats after a recovery. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Fences every later write for this job; never reused. */
  readonly leaseToken: string;
  /** Milliseconds this attempt may take, when the job has a limit. */
  readonly timeoutMs: number | null;
  readonly priority: number;
  readonly tag: string | null;
  readonly labels: Readonly<Record<string, string>> | null;
  /** 1, and one more with every retry by a person. */
  readonly generation: number;
  /** What few jobs have. A `traceparent` continues the trace of whoever enqueued the job. */
  readonly options: Readonly<Record<string, unknown>> | null;
  readonly concurrencyKey: string | null;
  /** One more lost worker makes it dead as poison: run it while this worker has no other job in its hands. */
  readonly lastChance: boolean;
  /** For how long it has been there, milliseconds by the database's clock; told of jobs with a `traceparent`, by `claimBatch`. */
  readonly ageMs?: number | undefined;
  /** W3C trace context of the claim whose attempt was lost, where one is known and the job lost a worker; by `claimBatch`. */
  readonly lostTraceparent?: string | undefined;
}

/** A claimed job as `claim` returns it; the fast form leaves out when it was to run. */
export interface ClaimedRow extends ClaimedJob {
  readonly runAt: Date;
}

/** Where an earlier claim that came back full ended: its last row. Rows up to it are not looked at. */
export interface ClaimFloor {
  readonly queue: string;
  readonly priority: number;
  readonly runAt: Date | string;
  readonly id: string;
}

/** Who claims, from where, and how much. */
export interface ClaimRequest {
  readonly workerId: string;
  /** Served strictly in this order. Queues that do not exist, or are held, give nothing. */
  readonly queues: readonly string[];
  /** At most this many jobs; 1 to 10000. */
  readonly max: number;
  /** Of a queue with limits at most this many: jobs that wait in the worker would take the places of others. */
  readonly slots?: number;
  /**
   * Keeps claims fast while a long transaction keeps the dead rows of earlier claims alive. Jobs before it are not seen,
   * late ones of a higher priority among them: claim without a floor now and then, and whenever fewer than `max` came.
   */
  readonly floor?: ClaimFloor;
  /** Lease tokens of earlier claims of which every job is over, acknowledged or lost. */
  readonly doneTokens?: readonly string[];
  /**
   * Lease tokens of all jobs on hand. Given now and then, and after a claim whose reply was lost; never while another
   * claim of this worker is under way. Jobs that the worker holds under other tokens are returned.
   */
  readonly heldTokens?: readonly string[];
  /** false: jobs whose `lastChance` is true are left for now, since the worker has others in its hands. Default true. */
  readonly lastChances?: boolean;
  /** W3C trace context of this claim, for the next attempts of its jobs to link to should this worker be lost. */
  readonly traceparent?: string | undefined;
}

interface Row {
  id: string;
  queue: string;
  kind: string;
  payload: unknown;
  attempt: number;
  max_attempts: number;
  lease_token: string;
  timeout_ms: number | null;
  priority: number;
  run_at: Date;
  tag: string | null;
  labels: Record<string, string> | null;
  generation: number;
  options: Record<string, unknown> | null;
  concurrency_key: string | null;
  last_chance: boolean;
}

/**
 * Claims jobs for a worker: queue by queue in the order given, within a queue by priority, run_at, id (G12). Rejects
 * with `lease_lapsed` when the worker must register again; a draining worker gets nothing.
 */
export async function claim(session: Session, request: ClaimRequest): Promise<ClaimedRow[]> {
  const rows = await session.query<Row>(
    `select * from ${quoteIdentifier(session.schema)}.claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    claimArguments(request),
  );
  return rows.map((row) => ({
    id: row.id,
    queue: row.queue,
    kind: row.kind,
    payload: row.payload,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    leaseToken: row.lease_token,
    timeoutMs: row.timeout_ms,
    priority: row.priority,
    runAt: row.run_at,
    tag: row.tag,
    labels: row.labels,
    generation: row.generation,
    options: row.options,
    concurrencyKey: row.concurrency_key,
    lastChance: row.last_chance,
  }));
}

/** The arguments of `claim` and `claim_batch`. */
export function claimArguments(request: ClaimRequest): unknown[] {
  const { floor } = request;
  return [
    request.workerId,
    request.queues,
    request.max,
    request.slots ?? null,
    floor?.queue ?? null,
    floor?.priority ?? null,
    floor?.runAt ?? null,
    floor?.id ?? null,
    request.heldTokens ?? null,
    request.doneTokens ?? null,
    request.lastChances ?? true,
    request.traceparent ?? null,
  ];
}

import { type ClaimedJob, complete, fail, returnUnstarted, type Session, StoreError } from "@jobqueue/store";
import { backoffMs } from "../backoff.ts";
import type { HeldLease, WorkerLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { pause } from "../pause.ts";
import type { Outcome } from "../run/outcome.ts";
import type { StoreTrouble } from "../store-trouble.ts";

/**
 * Tells the store how attempts ended, in natural batches: while one flush is under way the next gathers. There is no
 * timer, so an idle worker acknowledges at once and a busy one in large batches.
 *
 * Invariants (G9):
 * - An outcome is sent only while the lease it was earned under is trusted; after that it is dropped and counted.
 * - What the store reports as lost is dropped; it never becomes a failure.
 * - A flush that fails because of the database is tried again until then; it never becomes a failure either. Repeating is
 *   safe: the store takes a repetition for done.
 * - Only a result that the store cannot keep (too large, not JSON) fails its job: that is the handler's doing.
 */
export interface Finished {
  readonly job: ClaimedJob;
  readonly lease: HeldLease;
  readonly outcome: Outcome;
  /** How long the handler ran, milliseconds. */
  readonly durationMs?: number;
}

/** What the finisher works with. */
export interface FinisherParts {
  readonly session: Session;
  readonly lease: WorkerLease;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** Some were acknowledged or dropped. */
  readonly onAcknowledged: () => void;
  /** Flushing threw, which is a defect of ours: the process must not go on without it. */
  readonly onDefect: (error: unknown) => void;
}

type Action = "complete" | "fail" | "return";

/** How the metric names what was acknowledged. */
const ACKNOWLEDGED: Readonly<Record<Action, string>> = { complete: "completed", fail: "failed", return: "returned" };

/** Most outcomes in one flush. */
const MAX_FLUSH = 2_000;

const RETRY = { baseMs: 50, maxMs: 2_000 } as const;

/** See the top of this file. */
export class Finisher {
  readonly #parts: FinisherParts;
  readonly #abandoned = new AbortController();
  #waiting: Finished[] = [];
  #inFlight = 0;
  #flushing: Promise<void> | undefined;

  constructor(parts: FinisherParts) {
    this.#parts = parts;
  }

  /** Outcomes that the store has not acknowledged. */
  get unacknowledged(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** Takes an outcome; it is sent as soon as no flush is under way. */
  add(finished: Finished): void {
    this.#waiting.push(finished);
    this.#flushing ??= this.#flush().catch(this.#parts.onDefect);
  }

  /** Gives jobs back that were not started. */
  giveBack(jobs: readonly ClaimedJob[], lease: HeldLease): void {
    for (const job of jobs) this.add({ job, lease, outcome: { action: "return" } });
  }

  /** Resolves when everything taken so far was acknowledged or dropped. */
  async flushed(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  /** Drops what is left; the leases will expire. For a drain whose time is up. */
  abandon(): void {
    this.#abandoned.abort();
  }

  async #flush(): Promise<void> {
    // Outcomes of the same turn of the event loop go together.
    await new Promise(setImmediate);
    let failures = 0;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_FLUSH);
      this.#inFlight = batch.length;
      const left = await this.#send(batch);
      this.#inFlight = 0;
      if (left.length < batch.length) this.#parts.onAcknowledged();
      if (left.length === 0) {
        failures = 0;
        continue;
      }
      this.#waiting = [...left, ...this.#waiting];
      failures++;
      await pause(backoffMs(RETRY, failures, Math.random()), this.#abandoned.signal);
    }
    this.#flushing = undefined;
  }

  /** Sends a batch and returns what must be sent again. */
  async #send(batch: readonly Finished[]): Promise<Finished[]> {
    const byAction: Record<Action, Finished[]> = { complete: [], fail: [], return: [] };
    const dropped: Finished[] = [];
    const held = this.#abandoned.signal.aborted ? undefined : this.#parts.lease.held;
    for (const finished of batch) {
      const { action } = finished.outcome;
      if (action === "drop" || finished.lease !== held) dropped.push(finished);
      else byAction[action].push(finished);
    }
    if (dropped.length > 0) this.#lost(dropped, "the worker's lease is not trusted any more");
    if (dropped.length === batch.length) return [];
    this.#parts.metrics.observe("jobqueue_worker_flush_outcomes", batch.length - dropped.length);
    const left = await Promise.all(
      (["complete", "fail", "return"] as const).map((action) => this.#sendAll(action, byAction[action])),
    );
    return left.flat();
  }

  async #sendAll(action: Action, batch: readonly Finished[]): Promise<Finished[]> {
    if (batch.length === 0) return [];
    const { trouble } = this.#parts;
    try {
      const lost = new Set(await this.#call(action, batch));
      trouble.worked(action);
      this.#acknowledged(action, batch, lost);
      return [];
    } catch (error) {
      if (error instanceof StoreError && error.code === "invalid_input") return this.#isolate(action, batch, error);
      trouble.failed(action, error);
      return [...batch];
    }
  }

  /** One outcome cannot be stored: finds it by halving, so that it does not keep the others. */
  async #isolate(action: Action, batch: readonly Finished[], error: StoreError): Promise<Finished[]> {
    const [only, ...others] = batch as [Finished, ...Finished[]];
    if (others.length > 0) {
      const middle = Math.ceil(batch.length / 2);
      const first = await this.#sendAll(action, batch.slice(0, middle));
      return [...first, ...(await this.#sendAll(action, batch.slice(middle)))];
    }
    this.#parts.log.error(
      { jobId: only.job.id, kind: only.job.kind, action, error: error.message },
      "an outcome cannot be stored",
    );
    if (action !== "complete") return [only];
    return [{ ...only, outcome: { action: "fail", error: `the result cannot be stored: ${error.message}` } }];
  }

  #call(action: Action, batch: readonly Finished[]): Promise<string[]> {
    const { session } = this.#parts;
    const jobs = batch.map(({ job, outcome, durationMs }) => ({
      id: job.id,
      leaseToken: job.leaseToken,
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(outcome.action === "complete" ? { result: outcome.result } : {}),
      error: outcome.action === "fail" ? outcome.error : "",
    }));
    if (action === "complete") return complete(session, jobs);
    return action === "fail" ? fail(session, jobs) : returnUnstarted(session, jobs);
  }

  #acknowledged(action: Action, batch: readonly Finished[], lost: ReadonlySet<string>): void {
    const { log } = this.#parts;
    this.#count(
      batch.filter(({ job }) => !lost.has(job.id)),
      ACKNOWLEDGED[action],
    );
    for (const { job, outcome } of batch) {
      if (outcome.action !== "fail" || lost.has(job.id)) continue;
      const { id: jobId, queue, kind, attempt, maxAttempts } = job;
      log.warn({ jobId, queue, kind, attempt, maxAttempts }, "an attempt failed");
      // What a handler says may quote its payload: it is kept with the job, and in the log only for who asks for it.
      log.debug({ jobId, error: outcome.error.slice(0, 1_000) }, "error of the failed attempt");
    }
    if (lost.size > 0) {
      this.#lost(
        batch.filter(({ job }) => lost.has(job.id)),
        "the store says that the job's lease is lost",
      );
    }
  }

  #lost(batch: readonly Finished[], why: string): void {
    this.#count(batch, "lease_lost");
    this.#parts.log.warn(
      { count: batch.length, jobIds: batch.slice(0, 20).map(({ job }) => job.id), why },
      "outcomes dropped: lease lost",
    );
  }

  #count(batch: readonly Finished[], outcome: string): void {
    const counts = new Map<string, { queue: string; kind: string; jobs: number }>();
    for (const { job, outcome: what, durationMs } of batch) {
      // What was given back unstarted may be of any kind: it is counted where the reason is known.
      if (durationMs === undefined && (what.action === "return" || what.action === "drop")) continue;
      const key = `${job.queue}\n${job.kind}`;
      const count = counts.get(key) ?? { queue: job.queue, kind: job.kind, jobs: 0 };
      count.jobs++;
      counts.set(key, count);
    }
    for (const { queue, kind, jobs } of counts.values()) {
      this.#parts.metrics.count("jobqueue_worker_jobs_finished_total", { queue, kind, outcome }, jobs);
    }
  }
}

import type { SpanContext } from "@opentelemetry/api";
import { type ClaimedJob, type Session, StoreError } from "@jobqueue/store";
import { backoffMs } from "../backoff.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { pause } from "../pause.ts";
import type { Outcome } from "../run/outcome.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import { finishUnderSpan } from "../telemetry/finish-span.ts";
import { ACKNOWLEDGED, acknowledge, type Action } from "./acknowledge.ts";

/**
 * Tells the store how attempts ended, in natural batches: while one flush is under way the next gathers. There is no
 * timer, so an idle worker acknowledges at once and a busy one in large batches.
 *
 * Invariants (G5, G9):
 * - Whether an outcome still counts decides the store, by its lease token, and nobody else: what was earned is sent also
 *   when the worker does not trust its lease any more. What the store reports as lost is dropped; it never becomes a
 *   failure.
 * - A flush that fails because of the database is tried again until the store answers or a drain ends; it never becomes a
 *   failure either. Repeating is safe: the store takes a repetition for done. What waits is bounded, since nothing is
 *   claimed while much waits.
 * - Only a result that the store cannot keep (too large, not JSON) fails its job: that is the handler's doing.
 */
export interface Finished {
  readonly job: ClaimedJob;
  readonly outcome: Outcome;
  /** How long the handler ran, milliseconds. */
  readonly durationMs?: number;
  /** How its program ended, where a program ran it. */
  readonly exitCode?: number | undefined;
  /** The span of the attempt, where somebody records traces. */
  readonly span?: SpanContext | undefined;
  /** Whether other workers are told of a job that is given back. */
  readonly tell?: boolean;
}

/** What the finisher works with. */
export interface FinisherParts {
  readonly session: Session;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly trouble: StoreTrouble;
  /** These jobs are not the worker's any more: acknowledged, or lost. */
  readonly onSettled: (jobs: readonly Finished[]) => void;
  /** Flushing threw, which is a defect of ours: the process must not go on without it. */
  readonly onDefect: (error: unknown) => void;
}

/** In the order in which one flush sends them. */
const ACTIONS = Object.keys(ACKNOWLEDGED) as Action[];

/** Most outcomes in one flush. */
const MAX_FLUSH = 2_000;

const RETRY = { baseMs: 50, maxMs: 2_000 } as const;

/** See the top of this file. */
export class Finisher {
  readonly #parts: FinisherParts;
  readonly #abandoned = new AbortController();
  #leaving = false;
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

  /** Gives jobs back that were not started; `tell`: others are told, because this worker will not claim them again soon. */
  giveBack(jobs: readonly ClaimedJob[], tell = false): void {
    for (const job of jobs) this.add({ job, outcome: { action: "return" }, tell });
  }

  /** The worker drains: from now on others are told of what it gives back, since it will not claim that again itself. */
  leave(): void {
    this.#leaving = true;
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
      const batch = this.#nextBatch();
      this.#inFlight = batch.length;
      const left = await this.#send(batch);
      this.#inFlight = 0;
      if (left.length < batch.length) {
        const kept = new Set(left.map(({ job }) => job));
        this.#parts.onSettled(left.length === 0 ? batch : batch.filter(({ job }) => !kept.has(job)));
      }
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

  /**
   * Takes what goes next. A job comes once in a batch: after a lost lease a worker may hold two outcomes of one job, of an
   * old attempt and a new one, and the store answers by job.
   */
  #nextBatch(): Finished[] {
    const batch: Finished[] = [];
    const later: Finished[] = [];
    const ids = new Set<string>();
    for (const finished of this.#waiting.splice(0, MAX_FLUSH)) {
      const { id } = finished.job;
      if (ids.has(id)) later.push(finished);
      else batch.push(finished);
      ids.add(id);
    }
    if (later.length > 0) this.#waiting = [...later, ...this.#waiting];
    return batch;
  }

  /** Sends a batch and returns what must be sent again. */
  async #send(batch: readonly Finished[]): Promise<Finished[]> {
    const byAction = new Map<Action, Finished[]>();
    const dropped: Finished[] = [];
    let sent = 0;
    for (const finished of batch) {
      const { action } = finished.outcome;
      if (action === "none") {
        this.#count([finished], ACKNOWLEDGED.complete);
      } else if (action === "drop" || this.#abandoned.signal.aborted) {
        dropped.push(finished);
      } else {
        const group = byAction.get(action);
        if (group === undefined) byAction.set(action, [finished]);
        else group.push(finished);
        sent++;
      }
    }
    if (dropped.length > 0) this.#lost(dropped, "the worker's lease is not trusted any more");
    if (sent === 0) return [];
    this.#parts.metrics.observe("jobqueue_worker_flush_outcomes", sent);
    return finishUnderSpan(batch, async () => {
      const left = await Promise.all(ACTIONS.map((action) => this.#sendAll(action, byAction.get(action) ?? [])));
      return left.flat();
    });
  }

  async #sendAll(action: Action, batch: readonly Finished[]): Promise<Finished[]> {
    if (batch.length === 0) return [];
    const { trouble } = this.#parts;
    try {
      const lost = new Set(await acknowledge(this.#parts.session, action, batch));
      trouble.worked(action);
      this.#heard(action, batch, lost);
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
    const why = `the result cannot be stored: ${error.message}`;
    return [{ ...only, outcome: { action: "fail", error: why, permanent: false } }];
  }

  #heard(action: Action, batch: readonly Finished[], lost: ReadonlySet<string>): void {
    const { log, session } = this.#parts;
    this.#count(
      batch.filter(({ job }) => !lost.has(job.id)),
      ACKNOWLEDGED[action],
    );
    for (const { job, outcome, exitCode } of batch) {
      if (outcome.action !== "fail" || lost.has(job.id)) continue;
      const { id: jobId, queue, kind, attempt, maxAttempts } = job;
      const { permanent } = outcome;
      log.warn({ jobId, queue, kind, attempt, maxAttempts, permanent, exitCode }, "an attempt failed");
      // What a handler says may quote its payload: it is kept with the job, and in the log only for who asks for it.
      log.debug({ jobId, error: outcome.error.slice(0, 1_000) }, "error of the failed attempt");
    }
    if (action === "return") {
      const told = batch.filter(({ tell }) => this.#leaving || tell === true);
      if (told.length > 0) session.noteEnqueued?.([...new Set(told.map(({ job }) => job.queue))]);
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
    let count = { queue: "", kind: "", jobs: 0 };
    for (const { job, outcome: what, durationMs } of batch) {
      // What was given back unstarted may be of any kind: it is counted where the reason is known.
      if (durationMs === undefined && (what.action === "return" || what.action === "drop")) continue;
      // Neighbours are mostly alike, and the key costs more than the rest.
      if (job.queue !== count.queue || job.kind !== count.kind) {
        const key = `${job.queue}\n${job.kind}`;
        count = counts.get(key) ?? { queue: job.queue, kind: job.kind, jobs: 0 };
        counts.set(key, count);
      }
      count.jobs++;
    }
    for (const { queue, kind, jobs } of counts.values()) {
      this.#parts.metrics.count("jobqueue_worker_jobs_finished_total", { queue, kind, outcome }, jobs);
    }
  }
}

import { AsyncLocalStorage } from "node:async_hooks";
import { type ClaimedJob, enqueue, type Session } from "@jobqueue/store";
import type { Finisher } from "../finish/finisher.ts";
import type { AttemptContext, Handler } from "../handlers/handler.ts";
import type { HeldLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import { Attempt } from "./attempt.ts";
import { type AbortCause, type Ending, outcomeOf } from "./outcome.ts";
import type { Slots } from "./slots.ts";

/** Which job the code that is running belongs to: tells whose promise it was that nobody caught. */
export const currentJob = new AsyncLocalStorage<{ readonly jobId: string; readonly kind: string }>();

/** What the runner works with. */
export interface RunnerParts {
  readonly slots: Slots;
  readonly finisher: Finisher;
  readonly session: Session;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
  readonly abortGraceMs: number;
  /** An attempt ended and its slot is free. */
  readonly onSlotFree: () => void;
}

/** Runs attempts in slots and passes their outcomes on. */
export class AttemptRunner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<Attempt, HeldLease>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  /** Attempts whose handler has neither ended nor been given up. */
  get running(): number {
    return this.#running.size;
  }

  /** Resolves when no attempt runs. A handler that ignores its abort ceases to count when its grace is over. */
  get idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers<void>();
    return this.#idle.promise;
  }

  /** Starts a job in a free slot, under the lease it was claimed with. */
  start(job: ClaimedJob, handler: Handler, lease: HeldLease): void {
    const { slots, abortGraceMs } = this.#parts;
    const slot = slots.take(job.id);
    const attempt = new Attempt(job, handler, abortGraceMs);
    this.#running.set(attempt, lease);
    const context = this.#context(attempt, slot);
    currentJob.run({ jobId: job.id, kind: job.kind }, () => {
      attempt.start(
        context,
        (ending) => {
          this.#ended(attempt, slot, lease, ending);
        },
        () => {
          context.log.warn({}, "the handler ended after its slot was given up; the slot is free again");
          slots.release(slot);
          this.#parts.onSlotFree();
        },
      );
    });
  }

  /** Aborts all attempts, or those of one lease. */
  abortAll(cause: AbortCause, message: string, lease?: HeldLease): void {
    for (const [attempt, its] of this.#running) {
      if (lease === undefined || its === lease) attempt.abort(cause, message);
    }
  }

  #ended(attempt: Attempt, slot: number, lease: HeldLease, ending: Ending): void {
    const { slots, finisher, metrics, onSlotFree, log } = this.#parts;
    const { job, durationMs } = attempt;
    this.#running.delete(attempt);
    const outcome = outcomeOf(ending, attempt.aborted);
    metrics.observe("jobqueue_worker_job_duration_seconds", durationMs / 1000, { queue: job.queue, kind: job.kind });
    finisher.add({ job, lease, outcome, durationMs });
    if (ending.how === "ignored abort") {
      slots.markStuck(slot);
      log.error(
        {
          jobId: job.id,
          queue: job.queue,
          kind: job.kind,
          abortedFor: attempt.aborted?.abortCause,
          stuck: slots.stuck,
          slots: slots.total,
        },
        "a handler ignored its abort signal: its slot is stuck until it ends",
      );
    } else {
      slots.release(slot);
    }
    if (this.#running.size === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
    if (ending.how !== "ignored abort") onSlotFree();
  }

  #context(attempt: Attempt, slot: number): AttemptContext {
    const { session, log, slots, abortGraceMs } = this.#parts;
    const { job } = attempt;
    return {
      jobId: job.id,
      queue: job.queue,
      kind: job.kind,
      attempt: job.attempt,
      maxAttempts: job.maxAttempts,
      fencingToken: job.leaseToken,
      signal: attempt.signal,
      abortGraceMs,
      // A child logger is made only for the handlers that write something.
      get log() {
        return log.child({ jobId: job.id, queue: job.queue, kind: job.kind, attempt: job.attempt });
      },
      enqueue: (newJob) => enqueue(session, newJob),
      runsInProcessGroup: (id) => {
        slots.setProcessGroup(slot, id);
      },
    };
  }
}

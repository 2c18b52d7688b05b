import { AsyncLocalStorage } from "node:async_hooks";
import { context as telemetry, type Tracer } from "@opentelemetry/api";
import { type ClaimedJob, currentTracer, getJob, type Session } from "@jobqueue/store";
import type { Finisher } from "../finish/finisher.ts";
import type { Handler } from "../handlers/handler.ts";
import type { HeldLease } from "../lease/worker-lease.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { StoreTrouble } from "../store-trouble.ts";
import { AttemptSpan } from "../telemetry/attempt-span.ts";
import { Attempt } from "./attempt.ts";
import { HandlerContext } from "./attempt-context.ts";
import { type Ending, JobAborted, outcomeOf } from "./outcome.ts";
import { ProgressReport } from "./progress-report.ts";
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
  readonly trouble: StoreTrouble;
  readonly abortGraceMs: number;
  /** An attempt ended and its slot is free. */
  readonly onSlotFree: () => void;
}

/** What a handler asked for while it ran, beside what it returns. */
export interface HandlerRequests {
  /** Run it again after so many seconds instead of completing it. */
  snoozeSeconds?: number;
  /** It completed the job in a transaction of its own. */
  completed?: boolean;
  progress?: ProgressReport;
}

/** Runs attempts in slots and passes their outcomes on. */
export class AttemptRunner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<Attempt, HeldLease>();
  #tracer: Tracer | undefined;
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

  /** Jobs of one claim are about to be started: looks once for all of them whether somebody records traces. */
  expect(): void {
    this.#tracer = currentTracer();
  }

  /** Starts a job in a free slot, under the lease it was claimed with. */
  start(job: ClaimedJob, handler: Handler, lease: HeldLease): void {
    const { slots, abortGraceMs } = this.#parts;
    const slot = slots.take(job.id);
    const span = this.#tracer && AttemptSpan.begin(this.#tracer, job, lease.workerId);
    const attempt = new Attempt(job, handler, abortGraceMs, span);
    this.#running.set(attempt, lease);
    currentJob.run({ jobId: job.id, kind: job.kind }, () => {
      attempt.start(
        () => this.#carryOut(attempt, handler, slot),
        (ending) => {
          this.#ended(attempt, slot, ending);
        },
        () => {
          const { id: jobId, queue, kind } = job;
          this.#parts.log.warn(
            { jobId, queue, kind },
            "the handler ended after its slot was given up; the slot is free again",
          );
          slots.release(slot);
          this.#parts.onSlotFree();
        },
      );
    });
  }

  /** Aborts all attempts, or those of one lease. */
  abortAll(reason: JobAborted, lease?: HeldLease): void {
    for (const [attempt, its] of this.#running) {
      if (lease === undefined || its === lease) attempt.abort(reason);
    }
  }

  /** Aborts the attempt that runs under this lease token; `false` when none does. */
  abort({ id, leaseToken }: Pick<ClaimedJob, "id" | "leaseToken">, reason: JobAborted): boolean {
    for (const attempt of this.#running.keys()) {
      if (attempt.job.id !== id || attempt.job.leaseToken !== leaseToken) continue;
      attempt.abort(reason);
      return true;
    }
    return false;
  }

  /** Runs the handler to its end, and what belongs to the attempt after it. */
  async #carryOut(attempt: Attempt, handler: Handler, slot: number): Promise<Ending> {
    const requests: HandlerRequests = {};
    const context = new HandlerContext(attempt, slot, requests, this.#parts);
    let ending: Ending;
    try {
      const { span, job } = attempt;
      const result: unknown =
        span === undefined
          ? await handler.run(job.payload, context)
          : await runUnderSpan(span, handler, job.payload, context);
      const { snoozeSeconds } = requests;
      ending =
        snoozeSeconds === undefined ? { how: "returned", result } : { how: "snoozed", delaySeconds: snoozeSeconds };
    } catch (error) {
      ending = { how: "threw", error };
    }
    attempt.handlerEnded();
    // Looked at only where it is used: most handlers report nothing, and complete through the worker.
    if (requests.progress !== undefined) await requests.progress.flush();
    return requests.completed === true ? this.#endingOfCompleted(attempt.job, ending) : ending;
  }

  /**
   * A handler called `complete` in its transaction; whether that committed decides the store, not how the handler ended.
   * When the store cannot be asked the attempt counts as failed for now: if the transaction did commit, the store refuses
   * the failure.
   */
  async #endingOfCompleted({ id, leaseToken }: ClaimedJob, ending: Ending): Promise<Ending> {
    const { session, trouble } = this.#parts;
    let why = "could not be confirmed";
    try {
      const job = await getJob(session, id);
      trouble.worked("confirm completion");
      if (job?.state !== "running" || job.leaseToken !== leaseToken) return { how: "completed itself" };
      why = "was not committed";
    } catch (error) {
      trouble.failed("confirm completion", error);
    }
    if (ending.how === "threw") return ending;
    return {
      how: "threw",
      error: new Error(`the handler completed the job in a transaction that ${why} when it returned`),
    };
  }

  #ended(attempt: Attempt, slot: number, ending: Ending): void {
    const { slots, finisher, metrics, onSlotFree, log } = this.#parts;
    const { job, durationMs, exitCode } = attempt;
    this.#running.delete(attempt);
    const outcome = outcomeOf(ending, attempt.aborted);
    metrics.observeDuration(job.queue, job.kind, durationMs / 1000);
    attempt.span?.end(ending, outcome, attempt.aborted);
    finisher.add({ job, outcome, durationMs, exitCode, span: attempt.span?.spanContext });
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
}

/** Apart, so that an attempt that nobody traces makes no closure. */
function runUnderSpan(span: AttemptSpan, handler: Handler, payload: unknown, context: HandlerContext): unknown {
  return telemetry.with(span.context, () => handler.run(payload, context));
}

import { context as telemetry } from "@opentelemetry/api";
import { complete, enqueue, type QueryableClient, recordProcess, type Session, sessionOn } from "@jobqueue/store";
import type { AttemptContext } from "../handlers/handler.ts";
import type { Attempt } from "./attempt.ts";
import type { HandlerRequests, RunnerParts } from "./attempt-runner.ts";
import { JobAborted } from "./outcome.ts";
import { ProgressReport } from "./progress-report.ts";

/** Longest delay of a snooze, seconds: ten years, as in the store. */
const MAX_SNOOZE_SECONDS = 315_360_000;

/**
 * The lease of the job is lost: another worker may run it now. Thrown by `context.complete`; let it pass, so that the
 * transaction rolls back.
 */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";

  constructor(jobId: string) {
    super(`the lease of job ${jobId} is lost: nothing of this attempt may be committed`);
  }
}

/**
 * What a handler sees of its attempt. Its functions are made when they are asked for, since most handlers use none, and
 * are plain functions, not methods: handlers take the context apart. What the handler asks for is written into `requests`.
 */
export class HandlerContext implements AttemptContext {
  readonly #attempt: Attempt;
  readonly #slot: number;
  readonly #requests: HandlerRequests;
  readonly #parts: RunnerParts;

  constructor(attempt: Attempt, slot: number, requests: HandlerRequests, parts: RunnerParts) {
    this.#attempt = attempt;
    this.#slot = slot;
    this.#requests = requests;
    this.#parts = parts;
  }

  get jobId(): string {
    return this.#attempt.job.id;
  }

  get queue(): string {
    return this.#attempt.job.queue;
  }

  get kind(): string {
    return this.#attempt.job.kind;
  }

  get attempt(): number {
    return this.#attempt.job.attempt;
  }

  get maxAttempts(): number {
    return this.#attempt.job.maxAttempts;
  }

  get fencingToken(): string {
    return this.#attempt.job.leaseToken;
  }

  get traceparent(): string | undefined {
    if (this.#attempt.span !== undefined) return this.#attempt.span.traceparent;
    const traceparent = this.#attempt.job.options?.["traceparent"];
    return typeof traceparent === "string" ? traceparent : undefined;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get abortGraceMs(): number {
    return this.#parts.abortGraceMs;
  }

  get timeoutSeconds(): number | undefined {
    const { timeoutMs } = this.#attempt;
    return timeoutMs === undefined ? undefined : timeoutMs / 1000;
  }

  get deadline(): Date | undefined {
    return this.#attempt.deadline;
  }

  get log(): AttemptContext["log"] {
    const { id: jobId, queue, kind, attempt } = this.#attempt.job;
    return this.#parts.log.child({ jobId, queue, kind, attempt });
  }

  get enqueue(): AttemptContext["enqueue"] {
    const { session } = this.#parts;
    const { traceparent } = this;
    const { span } = this.#attempt;
    // The store's client makes a span of it, wherever in the attempt the handler calls this.
    if (span !== undefined) return (newJob) => telemetry.with(span.innermost, enqueue, undefined, session, newJob);
    return (newJob) => enqueue(session, traceparent === undefined ? newJob : { traceparent, ...newJob });
  }

  get progress(): AttemptContext["progress"] {
    const { session, trouble } = this.#parts;
    return (value) => {
      this.#requests.progress ??= new ProgressReport(this.#attempt.job, {
        session,
        trouble,
        onLost: () => {
          this.#leaseLost();
        },
      });
      this.#requests.progress.report(value);
    };
  }

  get snooze(): AttemptContext["snooze"] {
    return (delaySeconds) => {
      if (!(delaySeconds >= 0 && delaySeconds <= MAX_SNOOZE_SECONDS)) {
        throw new RangeError(`snooze takes seconds from 0 to ${MAX_SNOOZE_SECONDS}, not ${delaySeconds}`);
      }
      this.#requests.snoozeSeconds = delaySeconds;
    };
  }

  get complete(): AttemptContext["complete"] {
    return async (transaction, result) => {
      const { id, leaseToken } = this.#attempt.job;
      const { durationMs } = this.#attempt;
      const session = sessionOf(transaction, this.#parts.session);
      const lost = await complete(session, [{ id, leaseToken, result, durationMs }]);
      if (lost.length > 0) {
        this.#leaseLost();
        throw new LeaseLostError(id);
      }
      this.#requests.completed = true;
    };
  }

  get programStarted(): AttemptContext["programStarted"] {
    return ({ pid, runAs }) => {
      this.#parts.slots.setProcessGroup(this.#slot, pid);
      const { id, leaseToken } = this.#attempt.job;
      // For people who look at the run; the attempt does not wait for it.
      void this.#record(async () =>
        recordProcess(this.#parts.session, { id, leaseToken }, { pid, ppid: process.pid, ...(runAs && { runAs }) }),
      );
    };
  }

  get programEnded(): AttemptContext["programEnded"] {
    return (exitCode) => {
      this.#attempt.exitCode = exitCode;
      this.#parts.slots.setProcessGroup(this.#slot, undefined);
    };
  }

  #leaseLost(): void {
    this.#attempt.abort(new JobAborted("lease lost", "the store says that the lease of this job is lost"));
  }

  async #record(write: () => Promise<unknown>): Promise<void> {
    const { trouble } = this.#parts;
    try {
      await write();
      trouble.worked("record process");
    } catch (error) {
      trouble.failed("record process", error);
    }
  }
}

/** A session of ours, or one made of the caller's `pg` client. */
function sessionOf(transaction: Session | QueryableClient, own: Session): Session {
  return "schema" in transaction ? transaction : sessionOn(transaction, own.schema);
}

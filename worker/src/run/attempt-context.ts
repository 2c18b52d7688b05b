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

/** Makes what a handler sees of its attempt. What it asks for is written into `requests`. */
export function attemptContext(
  attempt: Attempt,
  slot: number,
  requests: HandlerRequests,
  parts: RunnerParts,
): AttemptContext {
  const { session, log, slots, trouble, abortGraceMs } = parts;
  const { job } = attempt;
  const traceparent = typeof job.options?.["traceparent"] === "string" ? job.options["traceparent"] : undefined;
  const leaseLost = (): void => {
    attempt.abort(new JobAborted("lease lost", "the store says that the lease of this job is lost"));
  };
  const record = async (write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
      trouble.worked("record process");
    } catch (error) {
      trouble.failed("record process", error);
    }
  };
  // Plain functions, not methods: handlers take the context apart.
  return {
    jobId: job.id,
    queue: job.queue,
    kind: job.kind,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    fencingToken: job.leaseToken,
    traceparent,
    signal: attempt.signal,
    abortGraceMs,
    timeoutSeconds: attempt.timeoutMs === undefined ? undefined : attempt.timeoutMs / 1000,
    get deadline() {
      return attempt.deadline;
    },
    // A child logger is made only for the handlers that write something.
    get log() {
      return log.child({ jobId: job.id, queue: job.queue, kind: job.kind, attempt: job.attempt });
    },
    enqueue: (newJob) => enqueue(session, traceparent === undefined ? newJob : { traceparent, ...newJob }),
    progress: (value) => {
      requests.progress ??= new ProgressReport(job, { session, trouble, onLost: leaseLost });
      requests.progress.report(value);
    },
    snooze: (delaySeconds) => {
      if (!(delaySeconds >= 0 && delaySeconds <= MAX_SNOOZE_SECONDS)) {
        throw new RangeError(`snooze takes seconds from 0 to ${MAX_SNOOZE_SECONDS}, not ${delaySeconds}`);
      }
      requests.snoozeSeconds = delaySeconds;
    },
    complete: async (transaction, result) => {
      const { id, leaseToken } = job;
      const { durationMs } = attempt;
      const lost = await complete(sessionOf(transaction, session), [{ id, leaseToken, result, durationMs }]);
      if (lost.length > 0) {
        leaseLost();
        throw new LeaseLostError(id);
      }
      requests.completed = true;
    },
    programStarted: ({ pid, runAs }) => {
      slots.setProcessGroup(slot, pid);
      const { id, leaseToken } = job;
      // For people who look at the run; the attempt does not wait for it.
      void record(async () =>
        recordProcess(session, { id, leaseToken }, { pid, ppid: process.pid, ...(runAs && { runAs }) }),
      );
    },
    programEnded: (exitCode) => {
      attempt.exitCode = exitCode;
      slots.setProcessGroup(slot, undefined);
    },
  };
}

/** A session of ours, or one made of the caller's `pg` client. */
function sessionOf(transaction: Session | QueryableClient, own: Session): Session {
  return "schema" in transaction ? transaction : sessionOn(transaction, own.schema);
}

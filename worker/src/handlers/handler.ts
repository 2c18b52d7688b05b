import type { Enqueued, NewJob, QueryableClient, Session } from "@jobqueue/store";

/** One line of the log: fields first, then a constant sentence. Never put payloads or secrets into it. */
export type LogLine = (fields: object, message: string) => void;

/** The log of one attempt; every line carries job, queue, kind and attempt. */
export interface HandlerLog {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

/** What a handler knows of the attempt it runs. */
export interface JobContext {
  readonly jobId: string;
  readonly queue: string;
  readonly kind: string;
  /** Which attempt this is, from 1. Repeats when an attempt was lost to infrastructure: never a fence. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /**
   * The lease token: grows with every claim of the job and is never reused. Give it to systems outside the store that
   * can compare, so that a worker that lost its lease can change nothing there either.
   */
  readonly fencingToken: string;
  /**
   * Fires when the handler must stop: its time is up, somebody cancelled the job, the worker drains, or the lease is lost.
   * The reason is a `JobAborted` that says which (a `CancelledError` for a cancellation). Whoever stops early throws, best
   * that reason; to return means to have finished.
   */
  readonly signal: AbortSignal;
  /** When the time of the attempt is up, by this machine's clock: to plan with. `undefined` without a limit. */
  readonly deadline: Date | undefined;
  /** The W3C trace context to hand on: of the attempt's span where somebody records traces, else what the job was enqueued with. */
  readonly traceparent: string | undefined;
  readonly log: HandlerLog;
  /** Enqueues a job through the worker's own connections, with the trace context of this job unless it brings its own. */
  readonly enqueue: (job: NewJob) => Promise<Enqueued>;
  /**
   * Reports how far the job is: anything JSON can hold, shown with the job. Written at most once a second and at the end,
   * values between are skipped, so it may be called as often as is convenient.
   */
  readonly progress: (value: unknown) => void;
  /**
   * Asks to be run again after so many seconds instead of completing the job, with no attempt spent; takes effect when the
   * handler returns, and what it returns is not kept.
   */
  readonly snooze: (delaySeconds: number) => void;
  /**
   * Completes the job inside a transaction of the handler (G7): its writes and the completion commit together or not at
   * all. Takes a `pg` client on which the transaction runs, or the session of `Database.transaction`; its user needs the
   * rights of a worker in the store. Commit before returning; the result is the one given here.
   *
   * @throws LeaseLostError when the lease is lost: let it pass, so that the transaction rolls back.
   */
  readonly complete: (transaction: QueryableClient | Session, result?: unknown) => Promise<void>;
}

/** Runs the jobs of one kind. What it returns is kept as the job's result; what it throws fails the attempt. */
export interface Handler<Payload = unknown, Result = unknown> {
  readonly kind: string;
  /** Seconds an attempt may take when the job itself does not say. */
  readonly timeoutSeconds?: number | undefined;
  run(payload: Payload, context: JobContext): Promise<Result> | Result;
}

/** What executable handlers need beyond what functions are shown. */
export interface AttemptContext extends JobContext {
  /** Seconds the attempt may take; `undefined` without a limit. */
  readonly timeoutSeconds: number | undefined;
  /** Milliseconds between the abort and the moment the slot counts as stuck. */
  readonly abortGraceMs: number;
  /** Says which program runs the attempt. It leads a process group of the same number. */
  programStarted(program: RunningProgram): void;
  /** Says how the program ended; the code is kept with the attempt, however that ends. */
  programEnded(exitCode: number): void;
}

/** The process of an executable handler. */
export interface RunningProgram {
  readonly pid: number;
  /** Whom it runs as; `undefined`: the worker's own user. */
  readonly runAs: string | undefined;
}

/** Longest kind; the store's own limit. */
const MAX_KIND_LENGTH = 200;

/** Why a text cannot be a kind, or `undefined` when it can. */
export function kindProblem(kind: unknown): string | undefined {
  if (typeof kind !== "string" || kind === "") return "a kind must be a text that is not empty";
  if (kind.length > MAX_KIND_LENGTH) return `a kind has at most ${MAX_KIND_LENGTH} characters`;
  if (/[\s,\p{Cc}]/u.test(kind))
    return `the kind ${JSON.stringify(kind)} must not contain spaces, commas or control characters`;
  return undefined;
}

/**
 * Defines the handler of a kind.
 *
 * @throws TypeError when kind or timeout cannot be used: a handler file is read at start-up, so this ends the start.
 */
export function defineHandler<Payload = unknown, Result = unknown>(
  kind: string,
  run: (payload: Payload, context: JobContext) => Promise<Result> | Result,
  options: { readonly timeoutSeconds?: number } = {},
): Handler<Payload, Result> {
  const problem = kindProblem(kind) ?? timeoutProblem(options.timeoutSeconds);
  if (problem !== undefined) throw new TypeError(problem);
  return { kind, run, timeoutSeconds: options.timeoutSeconds };
}

/** Longest time limit of an attempt, seconds: seven days, as in the store. */
const MAX_TIMEOUT_SECONDS = 604_800;

/** Why a value cannot be a time limit, or `undefined` when it can (or is absent). */
export function timeoutProblem(seconds: unknown): string | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds === "number" && seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS) return undefined;
  return `timeoutSeconds must be a number above 0 and at most ${MAX_TIMEOUT_SECONDS} (7 days)`;
}

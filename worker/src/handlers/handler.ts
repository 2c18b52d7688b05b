import type { Enqueued, NewJob } from "@jobqueue/store";

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
  /** Fires when the handler must stop: its time is up, the worker drains, or the lease is lost. */
  readonly signal: AbortSignal;
  readonly log: HandlerLog;
  /** Enqueues a job through the worker's own connections. */
  enqueue(job: NewJob): Promise<Enqueued>;
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
  /** Milliseconds between the abort and the moment the slot counts as stuck. */
  readonly abortGraceMs: number;
  /** Says which process group runs the attempt; `undefined` when it has ended. */
  runsInProcessGroup(id: number | undefined): void;
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

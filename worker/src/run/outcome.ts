/** Why the worker asked a handler to stop. */
export type AbortCause = "timeout" | "cancel" | "drain" | "lease lost";

/** The reason of a handler's abort signal. */
export class JobAborted extends Error {
  override readonly name: string = "JobAborted";
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause, message: string) {
    super(message);
    this.abortCause = abortCause;
  }
}

/** The reason of the signal when somebody cancelled the job; the message says why, as far as that was said. */
export class CancelledError extends JobAborted {
  override readonly name = "CancelledError";

  constructor(message: string) {
    super("cancel", message);
  }
}

/**
 * Thrown by a handler that knows that no further attempt can help: the job is dead at once, whatever attempts it has left.
 * Any error whose property `permanent` is `true` counts as one.
 */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
  readonly permanent = true;
}

/** How the handler's part of an attempt ended. */
export type Ending =
  | { readonly how: "returned"; readonly result: unknown }
  /** It asked to be run later instead. */
  | { readonly how: "snoozed"; readonly delaySeconds: number }
  | { readonly how: "threw"; readonly error: unknown }
  /** Its own transaction completed the job, and is committed. */
  | { readonly how: "completed itself" }
  /** It was aborted and did not end within the grace. */
  | { readonly how: "ignored abort" };

/** What is told to the store about an attempt. */
export type Outcome =
  | { readonly action: "complete"; readonly result: unknown }
  | { readonly action: "fail"; readonly error: string; readonly permanent: boolean }
  /** Not now: again after the delay, no attempt spent. */
  | { readonly action: "snooze"; readonly delaySeconds: number }
  /** Stopped because somebody cancelled the job. */
  | { readonly action: "cancelled" }
  /** Given back, no attempt spent. */
  | { readonly action: "return" }
  /** Nothing, since the store knows: the handler's own transaction completed the job. */
  | { readonly action: "none" }
  /** Nothing: the lease is lost, so another may have the job already. */
  | { readonly action: "drop" };

/**
 * What follows from how a handler ended (G9: only what the handler did may count as its failure).
 *
 * | aborted for | returned (or snoozed) | threw | ignored the abort |
 * |---|---|---|---|
 * | nothing | complete (snooze) | fail | - |
 * | its timeout | fail | fail | fail |
 * | a cancellation | complete (snooze) | cancelled | cancelled |
 * | a drain | complete (snooze) | return | return |
 * | a lost lease | complete (snooze) | drop | drop |
 *
 * A handler that returns after its timeout fails all the same: one that stops early because its signal fired looks
 * exactly like one that finished. Elsewhere to return means to have finished; whoever stops early throws.
 *
 * After a lost lease a result is sent like any other: it carries its lease token, and the store refuses it once the job
 * was recovered. It is accepted only where nobody else got the job in between (a process that was stopped for longer than
 * its lease, with no sweep meanwhile), and then dropping it would run finished work again. Why something threw while its
 * lease was lost is not known, so that counts for nothing.
 */
export function outcomeOf(ending: Ending, aborted: JobAborted | undefined): Outcome {
  if (ending.how === "completed itself") return { action: "none" };
  if (aborted !== undefined) return WHEN_ABORTED[aborted.abortCause](ending, aborted.message);
  // Only what was aborted can ignore it; were it otherwise, the job would go back.
  if (ending.how === "ignored abort") return { action: "return" };
  return ending.how === "threw" ? failureOf(ending.error) : finishOf(ending);
}

const WHEN_ABORTED: Readonly<
  Record<AbortCause, (ending: Exclude<Ending, { how: "completed itself" }>, why: string) => Outcome>
> = {
  timeout: (ending, why) => ({
    action: "fail",
    error: ending.how === "ignored abort" ? `${why}; the handler ignored its abort signal` : why,
    permanent: false,
  }),
  cancel: (ending) => (isFinish(ending) ? finishOf(ending) : { action: "cancelled" }),
  drain: (ending) => (isFinish(ending) ? finishOf(ending) : { action: "return" }),
  "lease lost": (ending) => (isFinish(ending) ? finishOf(ending) : { action: "drop" }),
};

type Finish = Extract<Ending, { how: "returned" | "snoozed" }>;

function isFinish(ending: Ending): ending is Finish {
  return ending.how === "returned" || ending.how === "snoozed";
}

function finishOf(ending: Finish): Outcome {
  return ending.how === "returned"
    ? { action: "complete", result: ending.result }
    : { action: "snooze", delaySeconds: ending.delaySeconds };
}

function failureOf(error: unknown): Outcome {
  const permanent = typeof error === "object" && error !== null && "permanent" in error && error.permanent === true;
  return { action: "fail", error: errorText(error), permanent };
}

/** What is kept of an error: name, message and stack, and the message of its cause. The store bounds the length. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : `handler threw ${describe(error)}`;
  // An error that speaks for something outside this process (an exit code) has no stack worth keeping.
  const text = error.stack !== undefined && error.stack !== "" ? error.stack : `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${text}\ncaused by ${error.cause.name}: ${error.cause.message}` : text;
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}

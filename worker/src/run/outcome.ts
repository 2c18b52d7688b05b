/** Why the worker asked a handler to stop. */
export type AbortCause = "timeout" | "drain" | "lease lost";

/** The reason of a handler's abort signal. */
export class JobAborted extends Error {
  override readonly name = "JobAborted";
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause, message: string) {
    super(message);
    this.abortCause = abortCause;
  }
}

/** How the handler's part of an attempt ended. */
export type Ending =
  | { readonly how: "returned"; readonly result: unknown }
  | { readonly how: "threw"; readonly error: unknown }
  /** It was aborted and did not end within the grace. */
  | { readonly how: "ignored abort" };

/** What is told to the store about an attempt. */
export type Outcome =
  | { readonly action: "complete"; readonly result: unknown }
  | { readonly action: "fail"; readonly error: string }
  /** Given back, no attempt spent. */
  | { readonly action: "return" }
  /** Nothing: the lease is lost, so another may have the job already. */
  | { readonly action: "drop" };

/**
 * What follows from how a handler ended (G9: only what the handler did may count as its failure).
 *
 * | aborted for | returned | threw | ignored the abort |
 * |---|---|---|---|
 * | nothing | complete | fail | - |
 * | its timeout | fail | fail | fail |
 * | a drain | complete | return | return |
 * | a lost lease | drop | drop | drop |
 *
 * A handler that returns after its timeout fails all the same: one that stops early because its signal fired looks
 * exactly like one that finished.
 */
export function outcomeOf(ending: Ending, aborted: JobAborted | undefined): Outcome {
  if (aborted !== undefined) return WHEN_ABORTED[aborted.abortCause](ending, aborted.message);
  if (ending.how === "returned") return { action: "complete", result: ending.result };
  // Only what was aborted can ignore it; were it otherwise, the job would go back.
  return ending.how === "threw" ? { action: "fail", error: errorText(ending.error) } : { action: "return" };
}

const WHEN_ABORTED: Readonly<Record<AbortCause, (ending: Ending, why: string) => Outcome>> = {
  "lease lost": () => ({ action: "drop" }),
  timeout: (ending, why) => ({
    action: "fail",
    error: ending.how === "ignored abort" ? `${why}; the handler ignored its abort signal` : why,
  }),
  drain: (ending) => (ending.how === "returned" ? { action: "complete", result: ending.result } : { action: "return" }),
};

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

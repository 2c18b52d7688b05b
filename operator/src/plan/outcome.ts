import type { Action, Problem } from "./action.ts";

/** An action that failed, and how to go on. */
export interface Failure {
  readonly action: Action;
  readonly error: unknown;
  /** What to tell people; absent when it passes by itself within moments. */
  readonly problem: Problem | undefined;
  /** `retry`: with the key's backoff, at least after `afterMs`. `wait`: for the next change. */
  readonly next: "retry" | "wait";
  readonly afterMs?: number;
}

/** What carrying out actions came to. */
export interface Outcome {
  /** Something in the world, or in what this process watches, is different now. */
  readonly changed: boolean;
  /** The action at which it ended; those behind it were not tried. */
  readonly failure: Failure | undefined;
  /** Jobs that were handed on. */
  readonly recovered: { readonly jobs: number; readonly reason: string; readonly sentence: string } | undefined;
  /** The soonest of all waits that were asked for. */
  readonly waitMs: number | undefined;
}

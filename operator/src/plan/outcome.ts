import type { Action } from "./action.ts";
import type { Problem } from "./plan.ts";

/** An action that failed, and how to go on. */
export interface Failure {
  readonly action: Action;
  readonly error: unknown;
  /** What to tell people; absent when it passes by itself within moments. */
  readonly problem: Problem | undefined;
  /** `retry`: with the key's backoff, at least after `afterMs`. `wait`: for the next change. */
  readonly next: "retry" | "wait";
  readonly afterMs?: number;
  /** The API server forbade to remove the pod of a hung worker: in its words. */
  readonly restartForbidden?: string;
}

/** What carrying out actions came to. */
export interface Outcome {
  /** Something in the world, or in what this process watches, is different now. */
  readonly changed: boolean;
  /** The action at which it ended; those behind it were not tried. */
  readonly failure: Failure | undefined;
  /** Jobs that were handed on. */
  readonly recovered: { readonly jobs: number; readonly reason: string; readonly sentence: string } | undefined;
  /** Requests of annotations that were carried out, by what they asked for; absent: none. */
  readonly handled?: { readonly recover?: string; readonly restart?: string } | undefined;
  /** The soonest of all waits that were asked for. */
  readonly waitMs: number | undefined;
}

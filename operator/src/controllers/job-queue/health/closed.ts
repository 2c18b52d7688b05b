import type { ConditionReason } from "@jobqueue/crds";

/** Why a restart is not allowed now: a word that the condition RestartsSuspended knows, and a sentence. */
export interface Closed {
  readonly reason: ConditionReason<"JobQueue", "RestartsSuspended">;
  /** What is and what to do. Nothing in it changes by itself. */
  readonly sentence: string;
  /** When it may be different, milliseconds from now; absent: when something happens. */
  readonly waitMs?: number;
}

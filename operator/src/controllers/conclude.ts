import type { Outcome } from "../plan/outcome.ts";
import type { Outcome as Conclusion } from "../runtime/index.ts";

/**
 * Every object is looked at this often even when nothing seems to happen (everything is watched or polled, so this only
 * bounds what a missed wake-up costs). Such a look writes nothing.
 */
export const RESYNC_MS = 600_000;

/** Turns what carrying out plans came to into what happens next to the key. `random` is uniform in [0, 1). */
export function conclude(
  outcomes: readonly Pick<Outcome, "failure" | "waitMs">[],
  lookAgainMs: number | undefined,
  random: () => number = Math.random,
): Conclusion {
  const failed = outcomes.find(({ failure }) => failure !== undefined)?.failure;
  if (failed?.next === "retry") {
    return { kind: "retry", error: failed.error, ...(failed.afterMs !== undefined && { afterMs: failed.afterMs }) };
  }
  if (failed) return { kind: "terminal", error: failed.error, reason: failed.problem?.reason ?? failed.action.reason };
  const waits = [...outcomes.map(({ waitMs }) => waitMs), lookAgainMs].filter((ms) => ms !== undefined);
  // Spread, so that a thousand queues that were looked at together at the start are not looked at together for ever.
  return { kind: "requeueAfter", ms: Math.ceil(Math.min(RESYNC_MS * (0.8 + 0.4 * random()), ...waits)) };
}

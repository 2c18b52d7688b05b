import type { ClaimLoop } from "./claim/claim-loop.ts";
import { monotonicMs } from "./clock.ts";
import type { Finisher } from "./finish/finisher.ts";
import type { Log } from "./log.ts";
import type { AttemptRunner } from "./run/attempt-runner.ts";
import { JobAborted } from "./run/outcome.ts";
import { within } from "./within.ts";

/** What a drain works with. */
export interface DrainParts {
  readonly claimLoop: ClaimLoop;
  readonly runner: AttemptRunner;
  readonly finisher: Finisher;
  /** Fires when running jobs shall be aborted now, without waiting for the rest of the timeout. */
  readonly hurry: AbortSignal;
  readonly drainTimeoutMs: number;
  readonly log: Log;
}

/** How long the store may take to hear the last outcomes, milliseconds. */
const FLUSH_TIMEOUT_MS = 4_000;

/**
 * The end of a worker's work, in order: no more claims, what was not started goes back, running jobs may finish for the
 * drain timeout, then they are aborted and go back too (no attempt spent: it was not their fault), and the store hears it
 * all. Ends by its deadline whatever the store and the handlers do: at the latest the drain timeout, the abort grace and
 * 4 s after it began. What could not be told is recovered when the lease lapses.
 */
export async function drain({ claimLoop, runner, finisher, hurry, drainTimeoutMs, log }: DrainParts): Promise<void> {
  const startedMs = monotonicMs();
  // Not awaited: a claim under way may wait for a store that is away. What it brings goes back by itself.
  const claimsEnded = claimLoop.stop();
  await within(drainTimeoutMs, runner.idle, hurry);
  if (runner.running > 0) {
    log.warn(
      { running: runner.running, afterMs: Math.round(monotonicMs() - startedMs) },
      "aborting the jobs that still run",
    );
    runner.abortAll(new JobAborted("drain", "the worker drains"));
    // Ends by the abort grace: a handler that ignores its abort ceases to count then.
    await runner.idle;
  }
  await within(
    FLUSH_TIMEOUT_MS,
    claimsEnded.then(() => finisher.flushed()),
  );
  if (finisher.unacknowledged > 0) {
    log.error(
      { outcomes: finisher.unacknowledged },
      "the store did not hear the last outcomes; their jobs are recovered when the lease lapses",
    );
    finisher.abandon();
    await finisher.flushed();
  }
}

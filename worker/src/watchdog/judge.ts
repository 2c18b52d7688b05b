/**
 * The judgement of the watchdog, a function of what the main thread published. Three verdicts stay distinct: a process
 * that is gone sends no heartbeat at all; a blocked loop keeps sending heartbeats that show its age but loses its lease
 * at the budget; an overdue job is its slot's affair (its deadline) until no slot is left.
 */

/** Limits, in milliseconds. */
export interface WatchdogLimits {
  /** A loop that has not turned for this long is not vouched for: the lease is no longer renewed. */
  readonly loopStallBudgetMs: number;
  /** A worker that makes no progress for this long is ended hard. */
  readonly hungAfterMs: number;
}

/**
 * The limits when the store tells this pool how long its loops may stand still (`configure_pool`). What lies between giving
 * up the lease and ending the process stays as configured.
 */
export function limitsTold(own: WatchdogLimits, loopStallMs: number | undefined): WatchdogLimits {
  if (loopStallMs === undefined) return own;
  return { loopStallBudgetMs: loopStallMs, hungAfterMs: loopStallMs + own.hungAfterMs - own.loopStallBudgetMs };
}

/** What the watchdog reads from shared memory. Times are monotonic milliseconds. */
export interface WatchdogView {
  readonly nowMs: number;
  readonly loopTickMs: number;
  readonly slotsTotal: number;
  readonly slotsStuck: number;
  /** 0 until the claim loop has started. */
  readonly claimLoopTickMs: number;
  readonly draining: boolean;
}

/** What the watchdog does now. */
export interface WatchdogVerdict {
  /** Whether the lease may be renewed. */
  readonly renew: boolean;
  /** Why the process must end, when it must. */
  readonly hung?: string;
}

/** Judges the main thread. */
export function judge(view: WatchdogView, limits: WatchdogLimits): WatchdogVerdict {
  const loopAgeMs = view.nowMs - view.loopTickMs;
  if (loopAgeMs >= limits.hungAfterMs) {
    return { renew: false, hung: `the event loop has been blocked for ${seconds(loopAgeMs)} s` };
  }
  const renew = loopAgeMs < limits.loopStallBudgetMs;
  // A drain ends by its own deadline, whatever its slots do.
  if (view.draining) return { renew };
  if (view.slotsStuck >= view.slotsTotal) {
    return { renew, hung: `all ${view.slotsTotal} slots are stuck: their handlers ignored the abort signal` };
  }
  // A store that is away does not stop the claim loop: its tries fail within their time limit and it turns on.
  const claimLoopAgeMs = view.claimLoopTickMs === 0 ? 0 : view.nowMs - view.claimLoopTickMs;
  if (claimLoopAgeMs >= limits.hungAfterMs) {
    return { renew, hung: `the claim loop has stood still for ${seconds(claimLoopAgeMs)} s` };
  }
  return { renew };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

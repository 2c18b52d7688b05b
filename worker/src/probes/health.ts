/** What the probes answer from. Times are milliseconds. */
export interface HealthView {
  readonly draining: boolean;
  /** Whether the worker holds a lease that it may trust: it is registered and the store answered lately. */
  readonly leaseTrusted: boolean;
  readonly claimLoopAgeMs: number;
  /** For how long every claim has failed; 0 while claims work. */
  readonly claimsFailForMs: number;
  readonly watchdogAgeMs: number;
  readonly slotsTotal: number;
  readonly slotsStuck: number;
  readonly hungAfterMs: number;
}

/** An answer: fine when there is no problem. */
export interface ProbeAnswer {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

/**
 * Whether the process should live. Only facts of this process: a store that is away must never make Kubernetes restart
 * workers (a liveness probe that asks a shared dependency turns its outage into everybody's). That the loop turns is
 * shown by answering at all.
 */
export function liveness(view: HealthView): ProbeAnswer {
  return answer([
    !view.draining && view.slotsStuck >= view.slotsTotal && "all slots are stuck",
    !view.draining && view.claimLoopAgeMs >= view.hungAfterMs && "the claim loop stands still",
    view.watchdogAgeMs >= view.hungAfterMs && "the watchdog stands still",
  ]);
}

/** Whether the worker can take jobs now. It is also the second witness for what its row in the store says of its claims. */
export function readiness(view: HealthView): ProbeAnswer {
  return answer([
    view.draining && "draining",
    !view.leaseTrusted && "no lease: the store does not answer, or refuses the worker",
    view.slotsStuck >= view.slotsTotal && "all slots are stuck",
    !view.draining && view.claimLoopAgeMs >= view.hungAfterMs && "the claim loop stands still",
    !view.draining && view.claimsFailForMs >= view.hungAfterMs && "claims fail, as the log says",
  ]);
}

function answer(checks: readonly (string | false)[]): ProbeAnswer {
  const problems = checks.filter((check): check is string => check !== false);
  return { ok: problems.length === 0, problems };
}

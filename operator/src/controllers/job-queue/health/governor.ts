/**
 * How much may be restarted. Everything is counted from the intents that stand in the store, never from memory: no crash and no
 * change of leaders forgets what was spent (G15). The store counts once more, under a lock, when an intent is opened.
 */
import type { JobQueueHealth } from "@jobqueue/crds";
import type { RestartBudget } from "@jobqueue/store";
import type { RestartSeen } from "../../job-store/store-view.ts";
import type { Judged } from "./verdict.ts";

/** At most so many of a pool in any ten minutes: three, or a tenth of its workers. */
const WINDOW = { ms: 600_000, least: 3, share: 0.1 } as const;

/** After restarts of one template in a row: 1 min, doubled to 30 min; forgotten after 10 min without a hung worker. */
const BACKOFF = { firstMs: 60_000, mostMs: 1_800_000, forgetMs: 600_000 } as const;

/** Restarts of one template in a row whose workers never finished a job: it is the template. */
const CRASH_LOOP = 5;

/** The budget of a pool of so many workers. */
export function budgetOf(
  health: Pick<JobQueueHealth, "maxConcurrentRestarts" | "minSecondsBetweenRestarts">,
  replicas: number,
): RestartBudget {
  return {
    concurrent: health.maxConcurrentRestarts,
    spacingMs: health.minSecondsBetweenRestarts * 1000,
    windowMs: WINDOW.ms,
    windowMost: Math.max(WINDOW.least, Math.floor(replicas * WINDOW.share)),
  };
}

/** What of the budget is spent now, in words, and when something of it comes back; `undefined`: another restart fits. */
export function spentOf(
  budget: RestartBudget,
  restarts: readonly RestartSeen[],
  missing: number,
  now: number,
): { readonly what: string; readonly waitMs?: number } | undefined {
  const open = restarts.filter(({ isOpen }) => isOpen).length;
  if (open + missing >= budget.concurrent) {
    return { what: "as many workers are being replaced, or not ready, as maxConcurrentRestarts allows" };
  }
  const counted = restarts
    .filter(({ asked, state }) => !asked && state !== "abandoned")
    .map(({ openedAt }) => openedAt);
  const last = counted.at(-1);
  if (last !== undefined && now - last < budget.spacingMs) {
    return {
      what: "the last restart is less than minSecondsBetweenRestarts ago",
      waitMs: last + budget.spacingMs - now,
    };
  }
  const recent = counted.filter((openedAt) => now - openedAt < budget.windowMs);
  if (recent.length < budget.windowMost) return undefined;
  const oldest = recent[recent.length - budget.windowMost] as number;
  return {
    what: `${budget.windowMost} workers were replaced within ten minutes`,
    waitMs: oldest + budget.windowMs - now,
  };
}

/** Milliseconds that the template must still be left alone; 0: none. `now` by the database's clock. */
export function backoffMsLeft(restarts: readonly RestartSeen[], templateHash: string, now: number): number {
  let waitMs = 0;
  let last: number | undefined;
  for (const { openedAt } of ofTemplate(restarts, templateHash)) {
    // Calm for ten minutes after the wait was over: it begins anew.
    const calm = last === undefined || openedAt - last >= waitMs + BACKOFF.forgetMs;
    waitMs = calm ? BACKOFF.firstMs : Math.min(BACKOFF.mostMs, waitMs * 2);
    last = openedAt;
  }
  return last === undefined ? 0 : Math.max(0, last + waitMs - now);
}

/**
 * Whether a template hangs whatever is restarted: its last five restarts were all of workers that never finished a job, and no
 * worker of it has finished one since the first of them.
 */
export function isCrashLoop(
  restarts: readonly RestartSeen[],
  templateHash: string,
  judged: readonly Judged[],
  now: number,
): boolean {
  const last = ofTemplate(restarts, templateHash).slice(-CRASH_LOOP);
  const first = last[0];
  if (!first || last.length < CRASH_LOOP) return false;
  if (last.some(({ evidence }) => evidence["finished"] === true)) return false;
  return !judged.some(({ pod, worker }) => {
    const age = worker?.progress.lastFinishAgeMs;
    if (pod.templateHash !== templateHash || age === undefined) return false;
    return Math.min(now, worker?.progress.heartbeatAt ?? 0) - age > first.openedAt;
  });
}

function ofTemplate(restarts: readonly RestartSeen[], templateHash: string): readonly RestartSeen[] {
  return restarts.filter((one) => one.templateHash === templateHash && !one.asked && one.state !== "abandoned");
}

/**
 * How many workers `spec.workers.autoscaling` wants, as a function of the backlog, what was wanted before, and the time.
 *
 * 1. *The answer of one look*: (pending + running) / jobsPerWorker, rounded up; while the oldest pending job waits longer than
 *    oldestPendingSeconds, one step more than where the step began, but never more workers than jobs. The larger one, within min and max.
 * 2. *Only what could run counts.* Pending jobs of a queue that is held do not: a paused queue does not grow, and may shrink
 *    as its running jobs end (KEDA and Knative look at work that can be done, too). The queues of alsoServes count.
 * 3. *Stabilisation*: it grows to the smallest answer of the last scaleUp.stabilizationSeconds, and shrinks to the largest of
 *    the last scaleDown.stabilizationSeconds (the HPA's rule). An answer holds until the next one.
 * 4. *Steps*: within 15 s at most maxPerStep away from where the step began.
 * 5. *The last worker* goes when there has been nothing to run for cooldownToZeroSeconds.
 * 6. *Not known is not empty*: while the store does not answer, as many stay as there are (kedacore/keda#1850, #2244).
 * 7. *A fresh leader* remembers nothing and takes the present number as what was wanted until now: it holds for one window.
 */
import type { JobQueueAutoscaling } from "@jobqueue/crds";
import { podsOf } from "../pods-or-share.ts";

/** What there is to do, as the store counts it. */
export interface Backlog {
  /** Jobs that run, and jobs that are pending in queues that are not held. */
  readonly jobs: number;
  /** Age of the oldest pending job of a queue that is not held, seconds; absent: none is pending. */
  readonly oldestPendingSeconds: number | undefined;
}

/** What is remembered between two looks. Times are milliseconds of the operator's wall clock. */
export interface AutoscaleMemory {
  /** The answer of the last look. */
  readonly answer: number;
  /** Earlier answers with the time until which each held, oldest first; only those that still decide the largest … */
  readonly highs: readonly Past[];
  /** … and the smallest of a window. */
  readonly lows: readonly Past[];
  /** The step under way: when it began, and from how many workers. */
  readonly step: { readonly at: number; readonly from: number } | undefined;
  /** Since when there has been nothing to run. */
  readonly emptySince: number | undefined;
}

interface Past {
  readonly answer: number;
  readonly until: number;
}

/** What autoscaling wants now, and why it is not more or less. */
export interface Autoscaled {
  readonly wanted: number;
  readonly memory: AutoscaleMemory | undefined;
  /** Whether it follows the backlog, or holds: the store is silent, a window or a step has not passed, the cooldown runs. */
  readonly because: "Backlog" | "StoreSilent" | "Stabilising" | "Stepping" | "CoolingDown";
  /** When to look again, milliseconds from now; absent: when something changes. */
  readonly waitMs?: number;
}

/** A step takes so long, milliseconds. */
const STEP_MS = 15_000;

/** The number of workers that are wanted. `present`: those that the Deployment asks for now. */
export function autoscale(
  spec: JobQueueAutoscaling,
  backlog: Backlog | undefined,
  present: number,
  before: AutoscaleMemory | undefined,
  now: number,
): Autoscaled {
  if (!backlog) return { wanted: within(spec, present), memory: before, because: "StoreSilent" };
  const emptySince = backlog.jobs > 0 ? undefined : (before?.emptySince ?? now);
  const coolingMs = emptySince === undefined ? 0 : emptySince + spec.scaleDown.cooldownToZeroSeconds * 1000 - now;
  const step = before?.step && now - before.step.at < STEP_MS ? before.step : undefined;
  const { from } = step ?? { from: present };
  const answer = answerOf(spec, backlog, from);
  const past = remember(spec, before, present, answer, now);

  const smallest = Math.min(answer, ...past.lows.map((one) => one.answer));
  const largest = Math.max(answer, ...past.highs.map((one) => one.answer));
  const followed = Math.min(Math.max(present, smallest), largest);
  const cooling = followed === 0 && present > 0 && coolingMs > 0;
  const stable = cooling ? 1 : followed;
  const most = from + podsOf(spec.scaleUp.maxPerStep, from, "up");
  const least = from - podsOf(spec.scaleDown.maxPerStep, from, "down");
  const wanted = within(spec, Math.min(Math.max(stable, least), most));

  const stepping = wanted !== stable && stable !== present;
  const stabilising = followed !== answer;
  const begun = step ?? (wanted === present ? undefined : { at: now, from: present });
  const waits = [
    ...(stepping && begun ? [begun.at + STEP_MS - now] : []),
    ...(stabilising ? [untilOldestIsOver(spec, past, now)] : []),
    ...(cooling ? [coolingMs] : []),
    ...(backlog.jobs > 0 ? [STEP_MS] : []), // counts that move within their rounding wake nobody
  ];
  return {
    wanted,
    memory: { answer, ...past, step: begun, emptySince },
    because: stepping
      ? "Stepping"
      : stabilising
        ? "Stabilising"
        : cooling && wanted === present
          ? "CoolingDown"
          : "Backlog",
    ...(waits.length > 0 && { waitMs: Math.max(1, Math.min(...waits)) }),
  };
}

/** The answer of one look. `from`: of the step under way, so that every look within it has the same answer. */
function answerOf(spec: JobQueueAutoscaling, { jobs, oldestPendingSeconds }: Backlog, from: number): number {
  const byCount = Math.ceil(jobs / spec.jobsPerWorker);
  const late = spec.oldestPendingSeconds !== undefined && (oldestPendingSeconds ?? 0) > spec.oldestPendingSeconds;
  const byAge = late ? Math.min(jobs, from + podsOf(spec.scaleUp.maxPerStep, from, "up")) : 0;
  return within(spec, Math.max(byCount, byAge));
}

function within({ minReplicas, maxReplicas }: JobQueueAutoscaling, workers: number): number {
  return Math.min(Math.max(workers, minReplicas), maxReplicas);
}

/** The earlier answers that still count. What is dominated by a later one is forgotten, so there are few. */
function remember(
  spec: JobQueueAutoscaling,
  before: AutoscaleMemory | undefined,
  present: number,
  answer: number,
  now: number,
): Pick<AutoscaleMemory, "highs" | "lows"> {
  const last = { answer: before?.answer ?? present, until: now };
  const highs = [...(before?.highs ?? []).filter((one) => one.answer > last.answer), last];
  const lows = [...(before?.lows ?? []).filter((one) => one.answer < last.answer), last];
  const highsFrom = now - spec.scaleDown.stabilizationSeconds * 1000;
  const lowsFrom = now - spec.scaleUp.stabilizationSeconds * 1000;
  return {
    highs: highs.filter((one) => one.until > highsFrom && one.answer > answer),
    lows: lows.filter((one) => one.until > lowsFrom && one.answer < answer),
  };
}

/** Milliseconds until an answer that holds it back is forgotten. */
function untilOldestIsOver(
  spec: JobQueueAutoscaling,
  { highs, lows }: Pick<AutoscaleMemory, "highs" | "lows">,
  now: number,
): number {
  const ends = [
    ...highs.map(({ until }) => until + spec.scaleDown.stabilizationSeconds * 1000),
    ...lows.map(({ until }) => until + spec.scaleUp.stabilizationSeconds * 1000),
  ];
  return ends.length === 0 ? STEP_MS : Math.max(1, Math.min(...ends) - now);
}

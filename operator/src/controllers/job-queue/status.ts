/**
 * The status of a JobQueue, as a function of what was observed, what was planned and how that went. Deterministic: sorted,
 * rounded, cut to the bounds of the CRD, and without anything that changes by itself, so that equal facts give an equal
 * status and nothing is written.
 */
import type { JobQueueStatus } from "@jobqueue/crds";
import type { Problem } from "../../plan/plan.ts";
import type { Outcome } from "../../plan/outcome.ts";
import { canonical } from "../canonical.ts";
import { conditionsAfter, timestamp, type Verdict } from "../conditions.ts";
import { cut, STATUS_BOUNDS } from "../status-bounds.ts";
import { queueNameOf, storeKeyOf } from "./desired/names.ts";
import type { Observed } from "./observed.ts";
import { backlogOf, crossesZero, untilCountsMayBeWritten, untilMayBeWritten, type Backlog } from "./status/backlog.ts";
import { drainedVerdict } from "./status/drained.ts";
import { healthVerdicts, restartHandled, restartShown } from "./status/health.ts";
import { objectivesVerdict } from "./status/objectives.ts";
import { pausedVerdict, pauseOf, type Pause } from "./status/pause.ts";
import { poolOfStatus, rolloutProblem, workersVerdict } from "./status/pool.ts";
import { isProgress, PROGRESS_EVERY_MS } from "./status/progress.ts";

/** What carrying out the plan came to, as far as the status tells it. */
export interface Told {
  /** What went wrong. */
  readonly problem?: Problem | undefined;
  /** The API server forbade to remove the pod of a hung worker: in its words. */
  readonly restartForbidden?: string | undefined;
  /** Jobs that were handed on just now. */
  readonly recovered?: { readonly jobs: number; readonly reason: string } | undefined;
  /** Requests of annotations that were carried out just now. */
  readonly handled?: Outcome["handled"];
}

/** A status to be written. */
export interface Report {
  readonly status: JobQueueStatus;
  readonly differs: boolean;
  /** Nothing but counts differs. */
  readonly countsOnly: boolean;
  /** Counts or progress that are held back now may be written after this time. */
  readonly lookAgainMs: number | undefined;
}

/** The next status of the observed JobQueue. `now` in milliseconds since the epoch. */
export function statusOf(observed: Observed, planned: Problem | undefined, told: Told, now: number): Report {
  const { queue } = observed;
  if (!queue) throw new Error("an object that is gone has no status");
  const before = queue.status;
  const problem = planned ?? told.problem ?? rolloutProblem(observed);
  const base: JobQueueStatus = {
    observedGeneration: queue.metadata.generation,
    queueName: queueNameOf(queue),
    store: cut(storeKeyOf(queue), STATUS_BOUNDS.store),
    ...poolOfStatus(observed, before, now),
    ...pauseShown(observed, before),
    ...recoveryShown(told, before, now),
    ...restartShown(observed, before),
    ...handledShown({ ...told.handled, ...restartHandled(observed) }, before),
    conditions: conditionsAfter(before?.conditions, verdictsOf(observed, problem, told.restartForbidden, now), {
      generation: queue.metadata.generation,
      now,
    }),
  };
  return withBacklog(observed, base, now);
}

/**
 * Adds the counts: new ones when the status is written anyway or they may be written now, else those that are shown. What
 * only says how far a rollout is may have to wait as well, all of it.
 */
function withBacklog(observed: Observed, base: JobQueueStatus, now: number): Report {
  const { queue, store, countsWrittenAt } = observed;
  const before: JobQueueStatus = queue?.status ?? {};
  const shown = { backlog: backlogShown(before), workers: workersShown(before) };
  const next =
    store.is === "ready" && store.counts
      ? { backlog: backlogOf(store.counts, store.at, shown.backlog), workers: workersCounted(store) }
      : shown;
  const withShown = withCounts(base, shown);
  const withNext = withCounts(base, next);
  const equal = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
  const crosses = crossesZero(shown.backlog, next.backlog);
  if (!equal(withShown, before)) {
    const late = !crosses && isProgress(before, withNext);
    const waitMs = late ? untilMayBeWritten(countsWrittenAt, PROGRESS_EVERY_MS, now) : 0;
    if (waitMs > 0) return { status: before, differs: false, countsOnly: false, lookAgainMs: waitMs };
    return { status: withNext, differs: true, countsOnly: false, lookAgainMs: undefined };
  }
  if (equal(withNext, before)) return { status: withShown, differs: false, countsOnly: false, lookAgainMs: undefined };
  const waitMs = crosses ? 0 : untilCountsMayBeWritten(countsWrittenAt, now);
  if (waitMs > 0) return { status: withShown, differs: false, countsOnly: false, lookAgainMs: waitMs };
  return { status: withNext, differs: true, countsOnly: true, lookAgainMs: undefined };
}

/** What moves all the time. */
interface Counts {
  readonly backlog: Backlog;
  readonly workers: Pick<NonNullable<JobQueueStatus["workers"]>, "busy" | "draining">;
}

const withCounts = (base: JobQueueStatus, { backlog, workers }: Counts): JobQueueStatus => ({
  ...base,
  ...backlog,
  ...(base.workers && { workers: { ...base.workers, ...workers } }),
});

const workersShown = ({ workers }: JobQueueStatus): Counts["workers"] => ({
  ...(workers?.busy !== undefined && { busy: workers.busy }),
  ...(workers?.draining !== undefined && { draining: workers.draining }),
});

const workersCounted = ({ workers }: Extract<Observed["store"], { is: "ready" }>): Counts["workers"] => ({
  busy: workers.filter(({ alive, running }) => alive && running > 0).length,
  draining: workers.filter(({ alive, draining }) => alive && draining).length,
});

const backlogShown = ({ jobs, oldestPendingSince }: JobQueueStatus): Backlog => ({
  ...(jobs && { jobs }),
  ...(oldestPendingSince !== undefined && { oldestPendingSince }),
});

/** While the store does not say, the last holds that were seen stay shown: they are still in force. */
function pauseShown({ store }: Observed, before: JobQueueStatus | undefined): Pause {
  if (store.is === "ready") return pauseOf(store.holds);
  return {
    ...(before?.holds && { holds: before.holds }),
    ...(before?.holdsTotal !== undefined && { holdsTotal: before.holdsTotal }),
    ...(before?.pausedBy !== undefined && { pausedBy: before.pausedBy }),
  };
}

function recoveryShown(
  { recovered }: Told,
  before: JobQueueStatus | undefined,
  now: number,
): Pick<JobQueueStatus, "lastRecovery"> {
  if (recovered && recovered.jobs > 0) {
    const reason = cut(recovered.reason, STATUS_BOUNDS.recoveryReason);
    return { lastRecovery: { time: timestamp(now), jobs: recovered.jobs, reason } };
  }
  return before?.lastRecovery ? { lastRecovery: before.lastRecovery } : {};
}

/** The last value of each request that was carried out; it stays when the annotation goes, so that it is not done again. */
function handledShown(
  handled: Told["handled"],
  before: JobQueueStatus | undefined,
): Pick<JobQueueStatus, "handledRequests"> {
  const requests = { ...before?.handledRequests, ...handled };
  return Object.keys(requests).length === 0 ? {} : { handledRequests: requests };
}

function verdictsOf(
  observed: Observed,
  problem: Problem | undefined,
  restartForbidden: string | undefined,
  now: number,
): readonly Verdict<"JobQueue">[] {
  const verdicts: Verdict<"JobQueue">[] = [pausedVerdict(observed), drainedVerdict(observed), workersVerdict(observed)];
  verdicts.push(...healthVerdicts(observed, now, restartForbidden));
  const objectives = objectivesVerdict(observed, now);
  if (objectives) verdicts.push(objectives);
  if (!problem) {
    const message = "The spec is in force in the store and in the cluster.";
    return [...verdicts, { type: "Ready", status: "True", reason: "Reconciled", message }];
  }
  const { reason, sentence: message } = problem;
  verdicts.push({ type: "Ready", status: problem.ready, reason, message } as Verdict<"JobQueue">);
  if (reason === "ReconcileSuspended") {
    verdicts.push({ type: "ReconcileSuspended", status: "True", reason: "RequestedByAnnotation", message });
  }
  if (problem.needsPerson) verdicts.push({ type: "Stalled", status: "True", reason, message } as Verdict<"JobQueue">);
  return verdicts;
}

/**
 * The status of a JobQueue, as a function of what was observed, what was planned and how that went. Deterministic: sorted,
 * rounded, cut to the bounds of the CRD, and without anything that changes by itself, so that equal facts give an equal
 * status and nothing is written.
 */
import type { JobQueueStatus } from "@jobqueue/crds";
import type { Problem } from "../../plan/action.ts";
import { canonical } from "../canonical.ts";
import { conditionsAfter, timestamp, type Verdict } from "../conditions.ts";
import { cut, STATUS_BOUNDS } from "../status-bounds.ts";
import { queueNameOf, storeKeyOf } from "./desired/names.ts";
import type { Observed } from "./observed.ts";
import { backlogOf, crossesZero, untilCountsMayBeWritten, type Backlog } from "./status/backlog.ts";
import { drainedVerdict } from "./status/drained.ts";
import { objectivesVerdict } from "./status/objectives.ts";
import { pausedVerdict, pauseOf, type Pause } from "./status/pause.ts";
import { poolOfStatus, rolloutProblem, workersVerdict } from "./status/pool.ts";

/** What carrying out the plan came to, as far as the status tells it. */
export interface Told {
  /** What went wrong. */
  readonly problem?: Problem | undefined;
  /** Jobs that were handed on just now. */
  readonly recovered?: { readonly jobs: number; readonly reason: string } | undefined;
}

/** A status to be written. */
export interface Report {
  readonly status: JobQueueStatus;
  readonly differs: boolean;
  /** Nothing but counts differs. */
  readonly countsOnly: boolean;
  /** Counts that are held back now may be written after this time. */
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
    ...poolOfStatus(observed, before),
    ...pauseShown(observed, before),
    ...recoveryShown(told, before, now),
    conditions: conditionsAfter(before?.conditions, verdictsOf(observed, problem, now), {
      generation: queue.metadata.generation,
      now,
    }),
  };
  return withBacklog(observed, base, now);
}

/** Adds the counts: new ones when the status is written anyway or they may be written now, else those that are shown. */
function withBacklog({ queue, store, countsWrittenAt }: Observed, base: JobQueueStatus, now: number): Report {
  const before: JobQueueStatus = queue?.status ?? {};
  const shown = backlogShown(before);
  const next = store.is === "ready" && store.counts ? backlogOf(store.counts, store.at, shown) : shown;
  const withShown = { ...base, ...shown };
  const withNext = { ...base, ...next };
  const equal = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
  if (!equal(withShown, before)) return { status: withNext, differs: true, countsOnly: false, lookAgainMs: undefined };
  if (equal(shown, next)) return { status: withShown, differs: false, countsOnly: false, lookAgainMs: undefined };
  const waitMs = crossesZero(shown, next) ? 0 : untilCountsMayBeWritten(countsWrittenAt, now);
  if (waitMs > 0) return { status: withShown, differs: false, countsOnly: false, lookAgainMs: waitMs };
  return { status: withNext, differs: true, countsOnly: true, lookAgainMs: undefined };
}

const backlogShown = ({ jobs, oldestPendingSince }: JobQueueStatus): Backlog => ({
  ...(jobs && { jobs }),
  ...(oldestPendingSince !== undefined && { oldestPendingSince }),
});

/** While the store does not say, the last holds that were seen stay shown: they are still in force. */
function pauseShown({ store }: Observed, before: JobQueueStatus | undefined): Pause {
  if (store.is === "ready") return pauseOf(store.holds);
  return {
    ...(before?.holds && { holds: before.holds }),
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

function verdictsOf(observed: Observed, problem: Problem | undefined, now: number): readonly Verdict<"JobQueue">[] {
  const verdicts: Verdict<"JobQueue">[] = [pausedVerdict(observed), drainedVerdict(observed), workersVerdict(observed)];
  const objectives = objectivesVerdict(observed, now);
  if (objectives) verdicts.push(objectives);
  if (!problem) {
    const message = "The spec is in force in the store and in the cluster.";
    return [...verdicts, { type: "Ready", status: "True", reason: "Reconciled", message }];
  }
  const { reason, sentence: message } = problem;
  verdicts.push({ type: "Ready", status: problem.ready, reason, message } as Verdict<"JobQueue">);
  if (problem.needsPerson) verdicts.push({ type: "Stalled", status: "True", reason, message } as Verdict<"JobQueue">);
  return verdicts;
}

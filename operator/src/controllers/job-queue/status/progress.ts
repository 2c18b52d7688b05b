/**
 * How far a rollout is, as the status tells it. It moves with every pod: of a thousand pools that start together the API server
 * would have to store five thousand sentences that are out of date before anybody has read them. So where nothing else is new
 * it is written at most every two seconds per object. That a rollout begins, is stuck or is over is told at once.
 */
import type { JobQueueStatus } from "@jobqueue/crds";
import { canonical } from "../../canonical.ts";
import { conditionOf } from "../../conditions.ts";

/** Least time between two writes of nothing but progress. */
export const PROGRESS_EVERY_MS = 2_000;

/** Conditions that tell of pods while they come and go. */
const OF_PODS: ReadonlySet<string> = new Set(["Ready", "WorkersAvailable"]);

/** Whether something was on its way before and is still, and nothing else is said than then but counts. */
export function isProgress(before: JobQueueStatus, after: JobQueueStatus): boolean {
  const isOnItsWay = ({ conditions }: JobQueueStatus): boolean =>
    conditionOf(conditions, "Ready")?.reason === "Progressing";
  return isOnItsWay(before) && isOnItsWay(after) && canonical(besides(before)) === canonical(besides(after));
}

/** What a status says besides. */
function besides(status: JobQueueStatus): object {
  const {
    replicas: _replicas,
    workers: _workers,
    jobs: _jobs,
    oldestPendingSince: _since,
    conditions,
    ...rest
  } = status;
  const others = conditions?.filter(({ type }) => !OF_PODS.has(type));
  return { ...rest, conditions: others?.map(({ type, status: is, reason }) => [type, is, reason]) };
}

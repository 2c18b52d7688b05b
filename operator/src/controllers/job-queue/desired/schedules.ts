/**
 * The schedules of a queue, in the words of the store. Each is named `<queue>/<name>` there, and says whose it is: that tells
 * those of the spec from those that people or another cluster put, and lets the JobStore take away what a deleted JobQueue
 * leaves behind.
 */
import type { JobQueueSchedule } from "@jobqueue/crds";
import type { NewSchedule } from "@jobqueue/store";
import { canonical } from "../../canonical.ts";
import type { ScheduleSeen } from "../../job-store/store-view.ts";

const MISSED = { Skip: "skip", FireLatest: "once", FireAll: "all" } as const;
const DEFAULTS = { timeZone: "UTC", missedTicks: "FireLatest", payload: {}, maxMissed: 100 } as const;

/** A schedule as it should stand in the store; its actor is its owner. */
export function scheduleOf(queue: string, owner: string, spec: JobQueueSchedule): NewSchedule {
  const { priority, timeoutSeconds } = spec;
  return {
    name: `${queue}/${spec.name}`,
    queue,
    kind: spec.kind,
    payload: spec.payload ?? DEFAULTS.payload,
    cron: spec.cron,
    timeZone: spec.timeZone ?? DEFAULTS.timeZone,
    missedTicks: MISSED[spec.missedTicks ?? DEFAULTS.missedTicks],
    owner,
    ...(priority !== undefined && { priority }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
  };
}

/** Whether the store has a schedule exactly as it should be, but for whether it is paused. */
export function isInForce(wanted: NewSchedule, seen: ScheduleSeen | undefined): boolean {
  if (!seen) return false;
  const { priority, timeoutSeconds, owner, ...rest } = wanted;
  const options = {
    ...(priority !== undefined && { priority }),
    ...(timeoutSeconds !== undefined && { timeout_seconds: timeoutSeconds }),
  };
  const { paused: _, ...there } = seen;
  return canonical({ ...rest, owner, options, maxMissed: DEFAULTS.maxMissed }) === canonical(there);
}

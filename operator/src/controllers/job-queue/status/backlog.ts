/**
 * Counts in the status. They are for people and move all the time, so they are rounded, and written at most every 15
 * seconds per object unless one crosses zero, in either direction, or the status is written anyway.
 */
import type { JobQueueStatus } from "@jobqueue/crds";
import { timestamp } from "../../conditions.ts";
import type { QueueSeen } from "../../job-store/store-view.ts";
import { roundedCount } from "../../rounded-count.ts";

/** Least time between two writes of nothing but counts. */
const COUNTS_EVERY_MS = 15_000;

/** The oldest pending job is said to wait since another time only when that time moved by more than this. */
const OLDEST_QUANTUM_MS = 5_000;

/** The part of the status that comes from counting. */
export type Backlog = Pick<JobQueueStatus, "jobs" | "oldestPendingSince">;

/**
 * The counts as they would be shown. The age comes from the database and is subtracted from the operator's time: a database
 * clock that is ahead would otherwise give a time in the future, which kubectl shows as `<invalid>`.
 */
export function backlogOf(counts: QueueSeen, readAt: number, shown: Backlog | undefined): Backlog {
  const jobs = {
    pending: roundedCount(counts.pending),
    scheduled: roundedCount(counts.scheduled),
    running: roundedCount(counts.running),
    dead: roundedCount(counts.dead),
  };
  if (counts.oldestPendingSeconds === undefined) return { jobs };
  const since = readAt - Math.max(0, counts.oldestPendingSeconds) * 1000;
  const before = shown?.oldestPendingSince;
  const same = before !== undefined && Math.abs(Date.parse(before) - since) <= OLDEST_QUANTUM_MS;
  return { jobs, oldestPendingSince: same ? before : timestamp(since) };
}

/** Whether something began or ended: a queue got its first job, ran dry, or has its first dead job. */
export function crossesZero(shown: Backlog, next: Backlog): boolean {
  const before = shown.jobs;
  const after = next.jobs;
  if (!before || !after) return before !== after;
  return (Object.keys(after) as (keyof typeof after)[]).some(
    (count) => ((before[count] ?? 0) === 0) !== ((after[count] ?? 0) === 0),
  );
}

/** Milliseconds until counts may be written again; 0 is now. `writtenAt` is absent when this process has not written any. */
export function untilCountsMayBeWritten(writtenAt: number | undefined, now: number): number {
  return untilMayBeWritten(writtenAt, COUNTS_EVERY_MS, now);
}

/** Milliseconds until what is written at most every `everyMs` may be written again, after it was at `writtenAt`. */
export function untilMayBeWritten(writtenAt: number | undefined, everyMs: number, now: number): number {
  // A wall clock that was set back must not silence anybody for longer than the interval.
  return writtenAt === undefined || now < writtenAt ? 0 : Math.max(0, writtenAt + everyMs - now);
}

import { fireDueSchedules, type FiredSchedule, type Session } from "@jobqueue/store";
import { monotonicMs } from "../clock.ts";
import type { Log } from "../log.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Chore } from "./periodic.ts";

/** What firing schedules works with. */
export interface ScheduleParts {
  readonly session: Session;
  /** Finds out when the next tick is, where somebody listens for schedules that are put meanwhile. */
  readonly askNext: () => Promise<void>;
  readonly log: Log;
  readonly metrics: WorkerMetrics;
}

/** Longest time between two looks for due schedules without hints, milliseconds: so late a tick may be with a single worker. */
export const LOOK_MS = 1_000;

/** Most schedules that one look fires. */
const FIRE_LIMIT = 100;

/** A schedule that cannot be fired is logged again after this time, milliseconds. */
const REPEAT_MS = 60_000;

/** How many such schedules the log remembers. */
const REMEMBERED = 1_000;

/**
 * Fires the schedules that are due. Every worker looks, so nothing else need run, and the store lets each tick fire once
 * however many do (G14).
 */
export function schedules({ session, askNext, log, metrics }: ScheduleParts): Chore {
  const refusedAtMs = new Map<string, number>();
  const report = ({ name, fired, skipped, error }: FiredSchedule): void => {
    metrics.count("jobqueue_worker_schedule_ticks_total", { outcome: "fired" }, fired);
    metrics.count("jobqueue_worker_schedule_ticks_total", { outcome: "skipped" }, skipped);
    if (error === undefined) {
      log.info({ schedule: name, fired, skipped }, "a schedule was due");
      return;
    }
    const nowMs = monotonicMs();
    if (nowMs - (refusedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return;
    if (refusedAtMs.size >= REMEMBERED) refusedAtMs.clear();
    refusedAtMs.set(name, nowMs);
    log.error({ schedule: name, error }, "a schedule cannot be fired: the store refuses it");
  };
  return {
    name: "schedules",
    intervalMs: LOOK_MS,
    async run() {
      const due = await fireDueSchedules(session, { max: FIRE_LIMIT });
      for (const schedule of due) report(schedule);
      if (due.length >= FIRE_LIMIT && due.some(({ error }) => error === undefined)) return true;
      await askNext();
      return false;
    },
  };
}

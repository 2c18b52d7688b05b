import type { JobQueueSchedule } from "@jobqueue/crds";
import { nextTicks, StoreError } from "@jobqueue/store";

/**
 * What is wrong with the first schedule that the store would refuse, in words, or `undefined`. The CRD cannot say whether a
 * time zone or a 31st of February exists; whoever reads cron for the store can.
 */
export function invalidSchedule(schedules: readonly JobQueueSchedule[] | undefined): string | undefined {
  for (const { name, cron, timeZone = "UTC" } of schedules ?? []) {
    const where = `spec.schedules[${name}]`;
    try {
      if (nextTicks(cron, timeZone, new Date(), 1).length === 0) return `${where}: ${cron} never comes.`;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return `${where}: ${error.message}.`;
    }
  }
  return undefined;
}

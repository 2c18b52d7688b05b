/** The counts of a whole store in its status: rounded, and written as seldom as those of a queue (`job-queue/status/backlog.ts`). */
import type { JobStoreStatus } from "@jobqueue/crds";
import { roundedCount } from "../../rounded-count.ts";
import type { StoreSnapshot } from "../store-view.ts";

/** The part of the status that comes from counting. */
export type Totals = Pick<JobStoreStatus, "jobs" | "workers">;

/** The counts as they would be shown. */
export function totalsOf({ queues, workers }: Pick<StoreSnapshot, "queues" | "workers">): Required<Totals> {
  const jobs = { pending: 0, scheduled: 0, running: 0, dead: 0, stale: 0 };
  for (const counts of queues.values()) {
    for (const state of Object.keys(jobs) as (keyof typeof jobs)[]) jobs[state] += counts[state];
  }
  const alive = workers.filter((worker) => worker.alive).length;
  const pools = new Set(workers.flatMap(({ pool }) => (pool === undefined ? [] : [pool]))).size;
  return {
    jobs: {
      pending: roundedCount(jobs.pending),
      scheduled: roundedCount(jobs.scheduled),
      running: roundedCount(jobs.running),
      dead: roundedCount(jobs.dead),
      stale: roundedCount(jobs.stale),
    },
    workers: { pools: roundedCount(pools), alive: roundedCount(alive), lapsed: roundedCount(workers.length - alive) },
  };
}

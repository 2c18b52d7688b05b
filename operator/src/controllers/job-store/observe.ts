/** Reads everything a decision about one JobStore needs: caches and its monitor. */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Cache } from "../../kube/index.ts";
import type { WrittenObjects } from "../../plan/written-objects.ts";
import type { Clock } from "../../runtime/index.ts";
import { BY_SLOT, BY_STORE, slotOf } from "../job-queue/wake.ts";
import { ownerOfSpecHold } from "../spec-hold.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { Monitors } from "./monitors.ts";
import type { MonitorObserved, ObservedStore, OrphanHold } from "./observed.ts";
import type { StoreView } from "./store-view.ts";

/** Where observations come from. */
export interface StoreSources {
  readonly jobStores: Cache<JobStore>;
  readonly jobQueues: Cache<JobQueue>;
  readonly monitors: Monitors;
  readonly written: { readonly jobStores: WrittenObjects<JobStore> };
  readonly clock: Clock;
}

/** Observes a JobStore. */
export type ObserveStore = (key: string) => ObservedStore;

/** Makes the function that observes. */
export function createObserveStore({ jobStores, jobQueues, monitors, written, clock }: StoreSources): ObserveStore {
  /** Since when a hold has been without its JobQueue, by store and then by hold. */
  const orphanedSince = new Map<string, Map<string, number>>();

  const orphansOf = (key: string, jobStore: StoredJobStore, view: StoreView): OrphanHold[] => {
    if (view.is !== "up" || !view.snapshot) return [];
    const before = orphanedSince.get(key);
    const since = new Map<string, number>();
    const orphans = view.snapshot.holds.flatMap((hold): OrphanHold[] => {
      if (hold.queue === "*") return []; // the JobStore's own
      const owner = ownerOfSpecHold(hold, jobStore);
      if (!owner || jobQueues.byIndex(BY_SLOT, slotOf(key, hold.queue)).length > 0) return [];
      const id = `${hold.queue} ${hold.actor}`;
      const at = before?.get(id) ?? clock.now();
      since.set(id, at);
      return [{ hold, owner, forMs: clock.now() - at }];
    });
    if (since.size > 0) orphanedSince.set(key, since);
    else orphanedSince.delete(key);
    return orphans;
  };

  return (key) => {
    const cached = jobStores.get(key);
    const jobStore = cached && written.jobStores.newest(key, cached);
    const monitor = monitors.find(key);
    if (!jobStore) orphanedSince.delete(key);
    const observed: MonitorObserved | undefined = monitor && {
      ...monitor.watched,
      view: monitor.view,
      migrationWaitMs: monitor.migrationWaitMs,
      maintainedMsAgo: monitor.maintainedMsAgo,
    };
    const current = jobStore && observed?.uid === jobStore.metadata.uid;
    return {
      key,
      jobStore,
      monitor: observed,
      queues: jobQueues.byIndex(BY_STORE, key).length,
      orphans: current ? orphansOf(key, jobStore, observed.view) : [],
    };
  };
}

/** Reads everything a decision about one JobStore needs: caches and its monitor. */
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Cache } from "../../kube/index.ts";
import type { WrittenObjects } from "../../plan/written-objects.ts";
import type { Clock } from "../../runtime/index.ts";
import { allowanceOf, type NamespaceLabels } from "../allowed-namespaces.ts";
import { poolOf } from "../job-queue/desired/names.ts";
import { BY_SLOT, BY_STORE, slotOf } from "../job-queue/wake.ts";
import { ownerNamed, ownerOfSpecHold } from "../spec-hold.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { Monitors } from "./monitors.ts";
import type { MonitorObserved, ObservedStore, OrphanHold, OrphanSchedule } from "./observed.ts";
import type { StoreView } from "./store-view.ts";

/** Where observations come from. */
export interface StoreSources {
  readonly jobStores: Cache<JobStore>;
  readonly jobQueues: Cache<JobQueue>;
  readonly labelsOfNamespace: (namespace: string) => NamespaceLabels;
  readonly monitors: Monitors;
  readonly written: { readonly jobStores: WrittenObjects<JobStore> };
  /** When this process last wrote counts of a JobStore, milliseconds of the wall clock. */
  readonly storeCountsWrittenAt: (key: string) => number | undefined;
  readonly clock: Clock;
}

const NO_ORPHANS = { orphans: [], orphanSchedules: [] } as const;

/** Observes a JobStore. */
export type ObserveStore = (key: string) => ObservedStore;

/** Makes the function that observes. */
export function createObserveStore({
  jobStores,
  jobQueues,
  labelsOfNamespace,
  monitors,
  written,
  storeCountsWrittenAt,
  clock,
}: StoreSources): ObserveStore {
  /** Since when a hold or a schedule has been without its JobQueue, by store and then by which it is. */
  const orphanedSince = new Map<string, Map<string, number>>();

  const mayUse = (queue: JobQueue, jobStore: StoredJobStore): boolean =>
    allowanceOf(queue, jobStore, labelsOfNamespace).is === "allowed";

  const orphansOf = (
    key: string,
    jobStore: StoredJobStore,
    view: StoreView,
  ): Pick<ObservedStore, "orphans" | "orphanSchedules"> => {
    if (view.is !== "up" || !view.snapshot) return NO_ORPHANS;
    const before = orphanedSince.get(key);
    const since = new Map<string, number>();
    // One that may not use the store (any more) manages nothing in it; but while it exists, what it left is not an orphan.
    const managed = (queue: string, owner: { readonly namespace: string; readonly name: string }): boolean =>
      jobQueues
        .byIndex(BY_SLOT, slotOf(key, queue))
        .some((one) => mayUse(one, jobStore) || poolOf(one) === `${owner.namespace}/${owner.name}`);
    const orphanedFor = (id: string): number => {
      const at = before?.get(id) ?? clock.now();
      since.set(id, at);
      return clock.now() - at;
    };
    const orphans = view.snapshot.holds.flatMap((hold): OrphanHold[] => {
      if (hold.queue === "*") return []; // the JobStore's own
      const owner = ownerOfSpecHold(hold, jobStore);
      if (!owner || managed(hold.queue, owner)) return [];
      return [{ hold, owner, forMs: orphanedFor(`hold ${hold.queue} ${hold.actor}`) }];
    });
    const orphanSchedules = view.snapshot.schedules.flatMap(({ name, queue, owner: whose }): OrphanSchedule[] => {
      const owner = whose === null ? undefined : ownerNamed(whose, jobStore);
      if (!owner || managed(queue, owner)) return [];
      return [{ name, queue, owner, forMs: orphanedFor(`schedule ${name} ${whose}`) }];
    });
    if (since.size > 0) orphanedSince.set(key, since);
    else orphanedSince.delete(key);
    return { orphans, orphanSchedules };
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
      sweptMsAgo: monitor.sweptMsAgo,
      maintainedMsAgo: monitor.maintainedMsAgo,
    };
    const current = jobStore && observed?.uid === jobStore.metadata.uid;
    return {
      key,
      jobStore,
      monitor: observed,
      queues: jobStore
        ? jobQueues.byIndex(BY_STORE, key).filter((queue) => mayUse(queue, jobStore)).length
        : jobQueues.byIndex(BY_STORE, key).length,
      countsWrittenAt: storeCountsWrittenAt(key),
      ...(current ? orphansOf(key, jobStore, observed.view) : NO_ORPHANS),
    };
  };
}

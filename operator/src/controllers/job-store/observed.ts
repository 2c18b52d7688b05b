/** Everything a decision about one JobStore depends on, as one plain object. */
import type { StoreKey } from "../../plan/action.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { HoldSeen, StoreView } from "./store-view.ts";

/** A hold `spec` of this JobStore on a queue that no JobQueue manages. */
export interface OrphanHold {
  readonly hold: HoldSeen;
  /** The JobQueue it says it belongs to. */
  readonly owner: { readonly namespace: string; readonly name: string };
  /** How long this process has seen it so, milliseconds. */
  readonly forMs: number;
}

/** A schedule of this JobStore whose jobs go into a queue that no JobQueue manages. */
export interface OrphanSchedule {
  readonly name: string;
  readonly queue: string;
  readonly owner: { readonly namespace: string; readonly name: string };
  /** How long this process has seen it so, milliseconds. */
  readonly forMs: number;
}

/** The monitor of the store. */
export interface MonitorObserved {
  /** The JobStore it works for. */
  readonly uid: string;
  readonly generation: number;
  readonly view: StoreView;
  /** Until a migration that failed may be tried again; 0 is now. */
  readonly migrationWaitMs: number;
  /** Since the last sweep for stale jobs by this process, milliseconds; absent: none yet. */
  readonly sweptMsAgo: number | undefined;
  /** Since the last maintenance by this process; absent: none yet. */
  readonly maintainedMsAgo: number | undefined;
}

/** See the head of this file. */
export interface ObservedStore {
  readonly key: StoreKey;
  readonly jobStore: StoredJobStore | undefined;
  /** Absent: nobody watches the store. */
  readonly monitor: MonitorObserved | undefined;
  /** JobQueues bound to it. */
  readonly queues: number;
  readonly orphans: readonly OrphanHold[];
  readonly orphanSchedules: readonly OrphanSchedule[];
}

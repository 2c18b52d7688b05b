/**
 * Everything a decision about one JobQueue depends on, as one plain object. Three answers are kept apart everywhere: it is
 * there, it is not there, and *unknown* (it could not be read). Unknown leads to waiting, never to making or deleting.
 */
import type { StoredDeployment, StoredJobQueue, StoredJobStore } from "../kubernetes-objects.ts";
import type { HoldSeen, PolicySeen, QueueSeen, ScheduleSeen, StoreView, WorkerSeen } from "../job-store/store-view.ts";
import type { DesiredDeployment } from "./desired/deployment.ts";

/** Another JobQueue of the namespace, as far as it concerns this one. */
export interface OtherQueue {
  readonly name: string;
  readonly uid: string;
  readonly creationTimestamp: string;
}

/** Another JobQueue whose workers serve this queue too. */
interface ServingPool {
  readonly name: string;
  /** Its workers that are ready, by its own status. */
  readonly ready: number;
}

/** The JobStore and what it says about this queue. */
export type StoreObserved =
  /** There is no JobStore of the name. */
  | { readonly is: "absent" }
  /** It is there, but nothing can be said or done in the store now. */
  | { readonly is: "unusable"; readonly jobStore: StoredJobStore; readonly view: Exclude<StoreView, { is: "up" }> }
  /** It answers, but its schema is not one to work with. `settling`: it is being brought up to date now. */
  | {
      readonly is: "incompatible";
      readonly jobStore: StoredJobStore;
      readonly settling: boolean;
      readonly sentence: string;
    }
  | {
      readonly is: "ready";
      readonly jobStore: StoredJobStore;
      /** When this was read, milliseconds of the operator's wall clock. */
      readonly at: number;
      /** How far the database's clock is ahead of that, milliseconds. */
      readonly clockAheadMs: number;
      /** Absent: the store does not know the queue. */
      readonly counts: QueueSeen | undefined;
      /** In force on this queue or on `*`. */
      readonly holds: readonly HoldSeen[];
      /** Workers of this pool, by the store. */
      readonly workers: readonly WorkerSeen[];
      /** Absent: the store does not know the queue. */
      readonly policy: PolicySeen | undefined;
      /** Schedules whose jobs go into this queue. */
      readonly schedules: readonly ScheduleSeen[];
    };

/** The Deployment of the name the workers need. */
export type DeploymentObserved =
  /** Confirmed by a live read. */
  | { readonly is: "absent" }
  | { readonly is: "unknown"; readonly sentence: string }
  /** Somebody else's. `collecting`: it belonged to an earlier JobQueue of this name and is being removed. */
  | { readonly is: "foreign"; readonly owner: string; readonly collecting: boolean }
  | {
      readonly is: "ours";
      readonly object: StoredDeployment;
      /** The generation that the last apply of this process gave; absent: it has not applied it. */
      readonly appliedGeneration: number | undefined;
    };

/** What the API server says to the Deployment that would be applied (a dry run, asked only when it would change). */
export type TemplateVerdict =
  /** Applied already, or accepted. */
  | { readonly is: "accepted" }
  | { readonly is: "refused"; readonly sentence: string }
  | { readonly is: "unknown"; readonly sentence: string };

/** A pod of the pool: `over` when it ended for good (phase Succeeded or Failed). */
export interface PodObserved {
  readonly uid: string;
  readonly over: boolean;
}

/** See the head of this file. */
export interface Observed {
  readonly queue: StoredJobQueue | undefined;
  /** Other JobQueues for the same queue of the same store. */
  readonly rivals: readonly OtherQueue[];
  /** Other JobQueues that name this queue in `alsoServes`. */
  readonly servedBy: readonly ServingPool[];
  readonly store: StoreObserved;
  readonly deployment: DeploymentObserved;
  /** What the Deployment should be; absent without (valid) workers, or without the JobStore whose address it needs. */
  readonly desired: DesiredDeployment | undefined;
  readonly template: TemplateVerdict;
  /** Pods of the pool; `unknown` while they have not all been listed. */
  readonly pods: readonly PodObserved[] | "unknown";
  /** UIDs of pods that this process once saw in the pool, of those that the store's workers name. */
  readonly podsSeenBefore: ReadonlySet<string>;
  /** What is wrong with a schedule of the spec, in words; absent: nothing. */
  readonly invalidSchedule: string | undefined;
  /** When this process last wrote counts to the status, milliseconds of the wall clock; absent: not yet. */
  readonly countsWrittenAt: number | undefined;
}

/**
 * Everything a decision about one JobQueue depends on, as one plain object. Three answers are kept apart everywhere: it is
 * there, it is not there, and *unknown* (it could not be read). Unknown leads to waiting, never to making or deleting.
 */
import type { KubeObject, Stored } from "../../kube/index.ts";
import type { Deployment, DisruptionBudget, StoredJobQueue, StoredJobStore } from "../kubernetes-objects.ts";
import type {
  HoldSeen,
  PolicySeen,
  QueueSeen,
  RestartSeen,
  ScheduleSeen,
  StoreView,
  WorkerSeen,
} from "../job-store/store-view.ts";
import type { CanarySeen } from "../job-store/canary.ts";
import type { Fleet } from "../job-store/snapshot-groups.ts";
import type { ScaleDecision } from "./scale/scale.ts";
import type { DesiredDeployment } from "./desired/deployment.ts";

/** Another JobQueue, as far as it concerns this one. */
export interface OtherQueue {
  /** "namespace/name" when it is in another namespace. */
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
  /** It does not let the namespace of this JobQueue in; `known` is false where that cannot be told. Nothing of it is seen. */
  | { readonly is: "notAllowed"; readonly known: boolean; readonly sentence: string }
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
      /** The queues that the workers of this JobQueue serve, its own first, with what the store counts. */
      readonly served: readonly { readonly held: boolean; readonly counts: QueueSeen | undefined }[];
      /** Workers of this pool, by the store. */
      readonly workers: readonly WorkerSeen[];
      /** Absent: the store does not know the queue. */
      readonly policy: PolicySeen | undefined;
      /** Schedules whose jobs go into this queue. */
      readonly schedules: readonly ScheduleSeen[];
      /** Since when the store could be written, and when not. */
      readonly canary: CanarySeen;
      /** The workers of the whole store. */
      readonly fleet: Fleet;
      /** Restarts in this pool, the oldest first. */
      readonly restarts: readonly RestartSeen[];
      /** How long the loops of the pool are told they may stand still, milliseconds; absent: nothing is told. */
      readonly toldLoopStallMs: number | undefined;
    };

/** An object of the name of the pool's. */
export type OwnedObserved<T extends KubeObject> =
  /** Confirmed by a live read, where one is wanted. */
  | { readonly is: "absent" }
  | { readonly is: "unknown"; readonly sentence: string }
  /** Somebody else's. */
  | { readonly is: "foreign"; readonly owner: string }
  /** Of an earlier JobQueue of this name: the garbage collector's to remove. */
  | { readonly is: "leftover"; readonly object: Stored<T> }
  | { readonly is: "ours"; readonly object: Stored<T> };

/** The Deployment of the pool. */
export type DeploymentObserved =
  | Exclude<OwnedObserved<Deployment>, { is: "absent" | "ours" }>
  | {
      readonly is: "absent";
      /** Since when this process has missed it, milliseconds of the wall clock; undefined: it does not miss it. */
      readonly since?: number;
    }
  | (Extract<OwnedObserved<Deployment>, { is: "ours" }> & {
      /** The generation that the last apply of this process gave; absent: it has not applied it. */
      readonly appliedGeneration: number | undefined;
    });

/** The PodDisruptionBudget of the pool. */
export type DisruptionBudgetObserved = OwnedObserved<DisruptionBudget>;

/** What the API server says to the Deployment that would be applied (a dry run, asked only when it would change). */
export type TemplateVerdict =
  /** Applied already, or accepted. */
  | { readonly is: "accepted" }
  /** `judged`: it is the template that is refused, and not this operator, or any Deployment now (rights, a quota). */
  | { readonly is: "refused"; readonly judged: boolean; readonly sentence: string }
  | { readonly is: "unknown"; readonly sentence: string };

/** Why a pod does not run its worker; a reason of the conditions WorkersAvailable and Ready. */
export interface PodTrouble {
  readonly reason: "ImagePullFailed" | "ContainerNotStarted" | "WorkersCrashing" | "Unschedulable" | "NodeUnreachable";
  /** What is and where to look, as the end of a sentence: no capital, no full stop, nothing that changes by itself. */
  readonly sentence: string;
}

/** A pod of the pool. */
export interface PodObserved {
  readonly uid: string;
  readonly name: string;
  /** It ended for good (phase Succeeded or Failed). */
  readonly over: boolean;
  /** Its deletion was asked for, and its node has not confirmed yet that the processes are gone. */
  readonly leaving: boolean;
  /** Its condition Ready is True. */
  readonly ready: boolean;
  /** Annotation `controller.kubernetes.io/pod-deletion-cost`; absent: none. */
  readonly deletionCost?: string;
  /** The node it was given to; absent: none yet. */
  readonly node?: string;
  readonly trouble?: PodTrouble;
  /** Its phase is Running: a node runs its containers. */
  readonly running: boolean;
  /** Which pod template it was made from; empty when nothing says. */
  readonly templateHash: string;
  /** When it was made, and when its worker's container was started last, milliseconds of the cluster's clocks. */
  readonly createdAt: number;
  readonly startedAt?: number;
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
  readonly disruptionBudget: DisruptionBudgetObserved;
  /** How many workers are wanted, and the next step on the way there; absent without (valid) workers or JobStore. */
  readonly scale: ScaleDecision | undefined;
  /** What the Deployment should be; absent without (valid) workers, or without the JobStore whose address it needs. */
  readonly desired: DesiredDeployment | undefined;
  readonly template: TemplateVerdict;
  /** Pods of the pool; `unknown` while they have not all been listed. */
  readonly pods: readonly PodObserved[] | "unknown";
  /** Every watch of the API server stands and brings news: what is seen of pods is how they are. */
  readonly watchesCurrent: boolean;
  /** When too many workers were last found lapsed at once, milliseconds by the database's clock; absent: not by this leader. */
  readonly stormAt: number | undefined;
  /** UIDs of pods that this process once saw in the pool, of those that the store's workers name. */
  readonly podsSeenBefore: ReadonlySet<string>;
  /** What is wrong with a schedule of the spec, in words; absent: nothing. */
  readonly invalidSchedule: string | undefined;
  /** When this process last wrote counts to the status, milliseconds of the wall clock; absent: not yet. */
  readonly countsWrittenAt: number | undefined;
}

/**
 * Everything the operator may do, as data. A decision returns a `Plan` (`plan.ts`); `apply.ts` is the only place that carries one
 * out, `explain.ts` prints it. Because a plan is data it can be compared, logged, tested and shown without acting.
 *
 * Every action carries the reason it is done for: one machine word, which also appears in log, event and test, and one
 * sentence for people.
 */
import type { JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import type { NewRestart, NewSchedule, PoolSettings, QueuePolicy, RestartBudget, StoreSettings } from "@jobqueue/store";
import type { RestartSeen } from "../controllers/job-store/store-view.ts";
import type { StoredJobStore } from "../controllers/kubernetes-objects.ts";
import type { DesiredDeployment } from "../controllers/job-queue/desired/deployment.ts";
import type { DesiredDisruptionBudget } from "../controllers/job-queue/desired/disruption-budget.ts";

/** Why: a word of a closed set and a sentence that says what is and, where a person must act, what to do. */
export interface Because {
  readonly reason: string;
  readonly sentence: string;
}

/** An object of ours, this incarnation of it. */
export interface ObjectIdentity {
  readonly kind: "JobQueue" | "JobStore";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** A pod, by what the store knows of it. */
export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** "namespace/name" of a JobStore. */
export type StoreKey = string;

/** Make the Deployment so (server-side apply). */
interface ApplyDeployment extends Because {
  readonly do: "applyDeployment";
  readonly deployment: DesiredDeployment;
  /** UID of the Deployment that is changed; absent when there is none, which is confirmed by a live read first. */
  readonly uid: string | undefined;
}

/** Remove a Deployment of ours, if it is still the one that was seen. */
interface DeleteDeployment extends Because {
  readonly do: "deleteDeployment";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Make the PodDisruptionBudget of a pool so (server-side apply). */
interface ApplyDisruptionBudget extends Because {
  readonly do: "applyDisruptionBudget";
  readonly budget: DesiredDisruptionBudget;
  /** UID of the one that is changed; absent when there is none, which is confirmed by a live read first. */
  readonly uid: string | undefined;
}

/** Remove a PodDisruptionBudget of ours, if it is still the one that was seen. */
interface DeleteDisruptionBudget extends Because {
  readonly do: "deleteDisruptionBudget";
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** Make the queue known to the store, so that it can be held and counted before its first job. */
interface EnsureQueue extends Because {
  readonly do: "ensureQueue";
  readonly store: StoreKey;
  readonly queue: string;
}

/** Write what the spec says about the jobs of a queue. */
interface ConfigureQueue extends Because {
  readonly do: "configureQueue";
  readonly store: StoreKey;
  readonly queue: string;
  readonly policy: QueuePolicy;
  readonly actor: string;
}

/** Write what the spec says about the store as a whole. */
interface ConfigureStore extends Because {
  readonly do: "configureStore";
  readonly store: StoreKey;
  readonly settings: StoreSettings;
  readonly actor: string;
}

/** Make a schedule so. */
interface PutSchedule extends Because {
  readonly do: "putSchedule";
  readonly store: StoreKey;
  readonly schedule: NewSchedule;
  readonly actor: string;
}

/** Stop a schedule from firing, or let it. */
interface PauseSchedule extends Because {
  readonly do: "pauseSchedule";
  readonly store: StoreKey;
  readonly name: string;
  readonly paused: boolean;
  readonly actor: string;
}

/** Take a schedule away. */
interface DeleteSchedule extends Because {
  readonly do: "deleteSchedule";
  readonly store: StoreKey;
  readonly name: string;
  readonly actor: string;
  /** JobQueue that must not exist: read live first, and the schedule stays when it does. */
  readonly unlessExists: { readonly namespace: string; readonly name: string } | undefined;
}

/** Delete a queue of the store with what is in it. */
export interface DeleteQueue extends Because {
  readonly do: "deleteQueue";
  readonly store: StoreKey;
  readonly queue: string;
  /** Only when it has no live and no dead job; else it stays. */
  readonly onlyIfEmpty: boolean;
  readonly actor: string;
}

/** Make the finalisers of a JobQueue so, if it is still as it was seen. */
interface SetFinalizers extends Because {
  readonly do: "setFinalizers";
  readonly object: ObjectIdentity;
  readonly resourceVersion: string;
  readonly finalizers: readonly string[];
}

/** Put the hold in force, or correct it. */
interface SetHold extends Because {
  readonly do: "setHold";
  readonly store: StoreKey;
  readonly queue: string;
  readonly hold: string;
  /** Why the queue is paused, in the words of whoever paused it. */
  readonly because: string;
  /** When the hold ends by itself, RFC 3339; absent: not. */
  readonly until: string | undefined;
  readonly actor: string;
  readonly source: string;
}

/** End a hold. */
export interface ReleaseHold extends Because {
  readonly do: "releaseHold";
  readonly store: StoreKey;
  readonly queue: string;
  readonly hold: string;
  readonly actor: string;
  /** JobQueue that must not exist: read live first, and the hold stays when it does. */
  readonly unlessExists: { readonly namespace: string; readonly name: string } | undefined;
}

/** Tell the store that these pods are gone and hand on the jobs their workers held. Each pod is confirmed by a live read. */
export interface RecoverPods extends Because {
  readonly do: "recoverPods";
  readonly store: StoreKey;
  readonly actor: string;
  readonly pods: readonly PodIdentity[];
}

/** Tell the workers of a pool how long their loops may stand still: with their next heartbeat, so that nothing restarts. */
interface ConfigurePool extends Because {
  readonly do: "configurePool";
  readonly store: StoreKey;
  /** "namespace/name" of the JobQueue. */
  readonly pool: string;
  readonly settings: PoolSettings;
  readonly actor: string;
}

/** Decide to replace a worker: the intent, and nothing else. The pod and the JobQueue are read live first. */
export interface OpenRestart extends Because {
  readonly do: "openRestart";
  readonly store: StoreKey;
  readonly queue: ObjectIdentity;
  readonly restart: NewRestart;
  readonly budget: RestartBudget;
  readonly actor: string;
}

/** Go on with a restart that was decided, from wherever it stands: fence, recover, evict, see the pod go. */
export interface ContinueRestart extends Because {
  readonly do: "continueRestart";
  readonly store: StoreKey;
  readonly queue: ObjectIdentity;
  readonly restart: RestartSeen;
  /** Whether the jobs of the worker are handed on, or left to a person (staleLockRecovery.mode). */
  readonly recover: boolean;
  /** Grace period of the pod, at least 1; absent: its own, for a worker that can drain. */
  readonly graceSeconds: number | undefined;
  /** How long a disruption budget may refuse before the pod is deleted all the same, milliseconds; 0: for ever. */
  readonly evictionTimeoutMs: number;
  readonly actor: string;
}

/** Hand on every job of the store whose lease is no longer backed by a live worker. */
interface RecoverStale extends Because {
  readonly do: "recoverStale";
  readonly store: StoreKey;
  /** Most jobs. */
  readonly limit: number;
  readonly graceSeconds: number;
}

/** Keep idle workers of a pool from taking jobs, so that their pods can be removed. */
export interface DrainWorkers extends Because {
  readonly do: "drainWorkers";
  readonly store: StoreKey;
  readonly pool: string;
  /** At most so many; fewer when fewer are idle. */
  readonly count: number;
  /** UIDs of pods whose workers are taken first. */
  readonly firstPods: readonly string[];
  readonly actor: string;
}

/** Let workers that were drained take jobs again. */
export interface ReleaseWorkers extends Because {
  readonly do: "releaseWorkers";
  readonly store: StoreKey;
  readonly workers: readonly string[];
  readonly actor: string;
}

/** Give pods a deletion cost, or take it away. */
export interface RankPods extends Because {
  readonly do: "rankPods";
  readonly pods: readonly PodIdentity[];
  /** Absent: none. */
  readonly cost: string | undefined;
}

/** Hand on every stale job of one queue because a person asked for it. */
export interface RecoverQueue extends Because {
  readonly do: "recoverQueue";
  readonly store: StoreKey;
  readonly queue: string;
  readonly actor: string;
  /** What was asked, as `status.handledRequests.recover` will say. */
  readonly request: string;
}

/** Keep a connection to the store and watch what is in it; also when only its address changed. */
interface WatchStore extends Because {
  readonly do: "watchStore";
  readonly jobStore: StoredJobStore;
}

/** Close the connection to the store. */
interface ForgetStore extends Because {
  readonly do: "forgetStore";
  readonly store: StoreKey;
}

/** Housekeeping inside the store: partitions for the days ahead, forgetting of what ended long ago. */
interface MaintainStore extends Because {
  readonly do: "maintainStore";
  readonly store: StoreKey;
}

/** Bring the schema of the store to the version of this program. */
interface MigrateStore extends Because {
  readonly do: "migrateStore";
  readonly store: StoreKey;
}

interface StatusWrite<Kind extends "JobQueue" | "JobStore", Status> extends Because {
  readonly do: "patchStatus";
  readonly kind: Kind;
  readonly object: ObjectIdentity;
  readonly status: Status;
  /** Only rounded counts differ: such a write may be late, and comes out of a bucket of its own. */
  readonly countsOnly: boolean;
}

/** Write the status of an object of ours. `status` is whole: what is not in it is removed. */
export type PatchStatus = StatusWrite<"JobQueue", JobQueueStatus> | StatusWrite<"JobStore", JobStoreStatus>;

/** Tell people who run `kubectl describe`. The reason of the action is the reason of the event, the sentence its note. */
export interface EmitEvent extends Because {
  readonly do: "emitEvent";
  readonly object: ObjectIdentity;
  readonly type: "Normal" | "Warning";
  /** What was done or tried, as one CamelCase word. */
  readonly action: string;
}

/** Do nothing now and look again, at the latest after `ms`. */
interface Wait extends Because {
  readonly do: "wait";
  readonly ms: number;
}

/** One thing to do. */
export type Action =
  | ApplyDeployment
  | DeleteDeployment
  | ApplyDisruptionBudget
  | DeleteDisruptionBudget
  | EnsureQueue
  | DeleteQueue
  | SetFinalizers
  | ConfigureQueue
  | ConfigureStore
  | PutSchedule
  | PauseSchedule
  | DeleteSchedule
  | SetHold
  | ReleaseHold
  | RecoverPods
  | ConfigurePool
  | OpenRestart
  | ContinueRestart
  | RecoverStale
  | DrainWorkers
  | ReleaseWorkers
  | RankPods
  | RecoverQueue
  | WatchStore
  | ForgetStore
  | MigrateStore
  | MaintainStore
  | PatchStatus
  | EmitEvent
  | Wait;

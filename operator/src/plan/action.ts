/**
 * Everything the operator may do, as data. A decision returns a `Plan`; `apply.ts` is the only place that carries one
 * out, `explain.ts` prints it. Because a plan is data it can be compared, logged, tested and shown without acting.
 *
 * Every action carries the reason it is done for: one machine word, which also appears in log, event and test, and one
 * sentence for people.
 */
import type { JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import type { NewSchedule, QueuePolicy, StoreSettings } from "@jobqueue/store";
import type { StoredJobStore } from "../controllers/kubernetes-objects.ts";
import type { DesiredDeployment } from "../controllers/job-queue/desired/deployment.ts";

/** Why: a word of a closed set and a sentence that says what is and, where a person must act, what to do. */
interface Because {
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
export interface ApplyDeployment extends Because {
  readonly do: "applyDeployment";
  readonly deployment: DesiredDeployment;
  /** UID of the Deployment that is changed; absent when there is none, which is confirmed by a live read first. */
  readonly uid: string | undefined;
}

/** Remove a Deployment of ours, if it is still the one that was seen. */
export interface DeleteDeployment extends Because {
  readonly do: "deleteDeployment";
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

/** Hand on every job of the store whose lease is no longer backed by a live worker. */
interface RecoverStale extends Because {
  readonly do: "recoverStale";
  readonly store: StoreKey;
  /** Most jobs. */
  readonly limit: number;
  readonly graceSeconds: number;
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
  | RecoverStale
  | WatchStore
  | ForgetStore
  | MigrateStore
  | MaintainStore
  | PatchStatus
  | EmitEvent
  | Wait;

/** Why the spec is not in force (yet). Becomes the condition Ready, and Stalled when only a person can end it. */
export interface Problem extends Because {
  /** `False`: known not to be in force. `Unknown`: cannot be told, because the store or the API server does not say. */
  readonly ready: "False" | "Unknown";
  /** Nothing the operator does or waits for will end it (kstatus: Stalled). */
  readonly needsPerson: boolean;
}

/** What one rule found. */
export interface Finding {
  readonly actions?: readonly Action[];
  readonly problem?: Problem;
  /** No later rule may speak. */
  readonly halt?: boolean;
}

/** What to do, in order, and why the object is not as it should be, if it is not. */
export interface Plan {
  readonly actions: readonly Action[];
  /** The first problem any rule found: rules are ordered by who should be heard first. */
  readonly problem: Problem | undefined;
  /** A rule said that the object must be left alone: no status either. */
  readonly leaveAlone: boolean;
}

/** Asks the rules in order and joins what they say. Pure when the rules are. */
export function planOf<Observed>(
  rules: readonly ((observed: Observed, now: number) => Finding)[],
  observed: Observed,
  now: number,
): Plan {
  const actions: Action[] = [];
  let problem: Problem | undefined;
  for (const rule of rules) {
    const finding = rule(observed, now);
    actions.push(...(finding.actions ?? []));
    problem ??= finding.problem;
    if (finding.halt) return { actions, problem, leaveAlone: finding.problem === undefined };
  }
  return { actions, problem, leaveAlone: false };
}

/** Whether carrying out the plan would change anything. */
export function isQuiet(plan: Plan): boolean {
  return plan.actions.every((action) => action.do === "wait");
}

import { HEALTH_CONDITIONS } from "./health-conditions.ts";
import { JOB_STORE_CONDITIONS } from "./job-store-conditions.ts";
import type { Kind } from "./names.ts";

/**
 * Who has to act before a condition gets better.
 *
 * - `nobody`: it is well, or it is as somebody asked for.
 * - `operator`: wait; the operator goes on by itself.
 * - `user`: who owns the manifest has to change it.
 * - `administrator`: who runs the database or the cluster has to change something there.
 */
export type Actor = "nobody" | "operator" | "user" | "administrator";

/** What a condition's status can be (metav1.ConditionStatus). */
export type ConditionStatus = "True" | "False" | "Unknown";

/** What a reason of a condition says. */
export interface ReasonMeaning {
  /** The statuses that the condition may have with this reason. */
  readonly status: readonly ConditionStatus[];
  readonly actor: Actor;
  /** One sentence or two, for the reference. */
  readonly meaning: string;
}

/**
 * Every condition the operator writes, by kind, type and reason. Closed: what is not here does not exist. The reference
 * (docs/reference/kinds.md) is made from it.
 *
 * Rules: every condition is computed anew in each pass, none is only ever set. `Ready` does not depend on pauses or on
 * zero replicas. What only the store knows is `Unknown`, not `False`, while the store cannot be reached. `Stalled` is
 * there only while a person has to act, so that tools that wait for `Ready` (kstatus: Helm, Flux) give up at once
 * instead of waiting for their time to run out; it repeats the reason of the condition it explains.
 */
export const CONDITIONS = {
  JobQueue: {
    // Is the spec in force?
    Ready: {
      Reconciled: {
        status: ["True"],
        actor: "nobody",
        meaning:
          "The spec is in force in the store and in the cluster. A paused queue and one with zero workers are ready.",
      },
      Progressing: {
        status: ["False", "Unknown"],
        actor: "operator",
        meaning: "The operator is at it: a roll-out is under way, or the store has not been looked at yet.",
      },
      StoreNotFound: {
        status: ["False"],
        actor: "user",
        meaning:
          "There is no JobStore of the name in storeRef, or none that this operator watches. It is used as soon as it is there. Workers that run go on running.",
      },
      StoreNotAllowed: {
        status: ["False", "Unknown"],
        actor: "administrator",
        meaning:
          "The JobStore in another namespace does not let this namespace in (spec.allowedNamespaces), or the labels that decide it cannot be read. Nothing is done in the store; workers that run go on running.",
      },
      StoreCredentialsMissing: {
        status: ["False"],
        actor: "user",
        meaning:
          "The JobStore is in another namespace, whose Secrets pods here cannot use, and workers.storeCredentials does not say what to use instead. The queue itself is managed.",
      },
      StoreUnreachable: {
        status: ["Unknown"],
        actor: "administrator",
        meaning: "The store does not answer; the condition Reachable of the JobStore says why. Nothing is restarted.",
      },
      StoreAuthFailed: {
        status: ["Unknown"],
        actor: "administrator",
        meaning: "Postgres refused the user or the password of the JobStore.",
      },
      SchemaIncompatible: {
        status: ["False"],
        actor: "administrator",
        meaning: "The schema of the store does not fit this operator; SchemaCompatible of the JobStore says how.",
      },
      InvalidSpec: {
        status: ["False"],
        actor: "user",
        meaning: "A schedule names a time zone or a time that does not exist. Schedules that are in force stay.",
      },
      DeletionBlocked: {
        status: ["False", "Unknown"],
        actor: "user",
        meaning:
          "The JobQueue is being deleted and deletionPolicy waits: for jobs that run, or for the store. deletionPolicy Retain lets it go at once.",
      },
      ReconcileSuspended: {
        status: ["Unknown"],
        actor: "user",
        meaning:
          "The annotation jobqueue.dev/reconcile is suspended: whether the spec is in force is not looked at. Remove it to go on.",
      },
      QueueConflict: {
        status: ["False"],
        actor: "user",
        meaning:
          "An older JobQueue manages the same queue of the same store. The older one counts, this one does nothing.",
      },
      DeploymentConflict: {
        status: ["False"],
        actor: "user",
        meaning:
          "A Deployment of the name of the pool belongs to somebody else. It is never adopted: rename or delete it.",
      },
      DisruptionBudgetConflict: {
        status: ["False"],
        actor: "user",
        meaning:
          "A PodDisruptionBudget of the name of the pool belongs to somebody else. It is never adopted: delete it, or take workers.disruptionBudget away. The workers run.",
      },
      InvalidPodTemplate: {
        status: ["False"],
        actor: "user",
        meaning: "The API server refuses the Deployment made from workers.template; the message is its own.",
      },
      WorkerRolloutFailed: {
        status: ["False"],
        actor: "user",
        meaning:
          "Pods of the pool cannot be made, or did not become ready in time; the pods from before go on working.",
      },
      ImagePullFailed: {
        status: ["False"],
        actor: "user",
        meaning: "The image of a container cannot be pulled; the message names it. The pods that run go on running.",
      },
      ContainerNotStarted: {
        status: ["False"],
        actor: "user",
        meaning: "A container of the pool cannot be made; the message is that of its node.",
      },
      WorkersCrashing: {
        status: ["False"],
        actor: "user",
        meaning:
          "A container of the pool ends again and again. Its node starts it anew, each time later; the operator adds no restart of its own.",
      },
      Unschedulable: {
        status: ["False"],
        actor: "administrator",
        meaning: "No node takes a pod of the pool; the message is that of the scheduler.",
      },
      NodeUnreachable: {
        status: ["False"],
        actor: "administrator",
        meaning:
          "The node of a pod does not answer. Kubernetes replaces the pod after five minutes unless its tolerations say otherwise; its jobs run elsewhere as soon as their lease is over.",
      },
    },
    // Do jobs start?
    Paused: {
      Active: { status: ["False"], actor: "nobody", meaning: "No hold is in force: jobs start." },
      PauseExpired: {
        status: ["False"],
        actor: "nobody",
        meaning: "spec.state is Paused but spec.pausedUntil has passed: jobs start again.",
      },
      PausedBySpec: {
        status: ["True"],
        actor: "nobody",
        meaning: "spec.state is Paused or Stopped, nothing else holds the queue.",
      },
      PausedByHold: {
        status: ["True"],
        actor: "nobody",
        meaning:
          "spec.state does not hold the queue, but other holds are in force; status.holds says whose. They are never removed by the operator.",
      },
      PausedBySpecAndHold: {
        status: ["True"],
        actor: "nobody",
        meaning:
          "spec.state is Paused or Stopped and other holds are in force: state: Active alone will not resume the queue.",
      },
      StoreUnreachable: {
        status: ["Unknown"],
        actor: "administrator",
        meaning: "The holds cannot be read. They stay in force: workers that can reach the store obey them.",
      },
    },
    // Has a paused queue come to rest?
    Drained: {
      NoRunningJobs: { status: ["True"], actor: "nobody", meaning: "The queue is paused and none of its jobs runs." },
      JobsRunning: {
        status: ["False"],
        actor: "nobody",
        meaning: "The queue is paused; jobs that had begun before are still running.",
      },
      NotPaused: { status: ["False"], actor: "nobody", meaning: "Jobs start." },
      StoreUnreachable: { status: ["Unknown"], actor: "administrator", meaning: "The jobs cannot be counted." },
    },
    // Is there anybody to run the jobs?
    WorkersAvailable: {
      MinimumAvailable: { status: ["True"], actor: "nobody", meaning: "At least one worker of the pool is ready." },
      ServedByOther: {
        status: ["True"],
        actor: "nobody",
        meaning: "Workers of another JobQueue, which names this queue in alsoServes, serve it.",
      },
      ScaledToZero: {
        status: ["False"],
        actor: "nobody",
        meaning:
          "spec.replicas is 0, and jobs wait until it is raised; or autoscaling took the last worker away because there is nothing to run, and the next job brings one back.",
      },
      Stopped: {
        status: ["False"],
        actor: "nobody",
        meaning: "spec.state is Stopped: the workers have gone and come back with Active or Paused.",
      },
      PodsNotReady: {
        status: ["False"],
        actor: "operator",
        meaning: "Workers are wanted but no pod is ready yet.",
      },
      ImagePullFailed: { status: ["False"], actor: "user", meaning: "Explained by Ready." },
      ContainerNotStarted: { status: ["False"], actor: "user", meaning: "Explained by Ready." },
      WorkersCrashing: { status: ["False"], actor: "user", meaning: "Explained by Ready." },
      Unschedulable: { status: ["False"], actor: "administrator", meaning: "Explained by Ready." },
      NodeUnreachable: { status: ["False"], actor: "administrator", meaning: "Explained by Ready." },
      NoWorkersConfigured: {
        status: ["False"],
        actor: "nobody",
        meaning:
          "The JobQueue has no workers and no other JobQueue serves it; workers may still run outside the cluster.",
      },
    },
    ...HEALTH_CONDITIONS,
    // Is service as good as it should be? There only with spec.objectives; says nothing about Ready.
    BacklogWithinTarget: {
      WithinTarget: { status: ["True"], actor: "nobody", meaning: "All of spec.objectives are met." },
      OldestJobTooOld: {
        status: ["False"],
        actor: "user",
        meaning: "A pending job has been waiting longer than objectives.oldestPendingSeconds.",
      },
      TooManyPending: {
        status: ["False"],
        actor: "user",
        meaning: "More jobs are pending than objectives.pending.",
      },
      StoreUnreachable: { status: ["Unknown"], actor: "administrator", meaning: "The jobs cannot be counted." },
    },
    // Does the operator leave the object alone? There only while it does.
    ReconcileSuspended: {
      RequestedByAnnotation: {
        status: ["True"],
        actor: "user",
        meaning: "The annotation jobqueue.dev/reconcile is suspended; holds in force stay, nothing else is done.",
      },
    },
    // Does a person have to act?
    Stalled: {
      InvalidSpec: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      StoreNotAllowed: { status: ["True"], actor: "administrator", meaning: "Explained by Ready." },
      StoreCredentialsMissing: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      QueueConflict: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      DeploymentConflict: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      DisruptionBudgetConflict: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      InvalidPodTemplate: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
      WorkerRolloutFailed: { status: ["True"], actor: "user", meaning: "Explained by Ready." },
    },
  },
  JobStore: JOB_STORE_CONDITIONS,
} as const satisfies Readonly<Record<Kind, Readonly<Record<string, Readonly<Record<string, ReasonMeaning>>>>>>;

/** The types of conditions of a kind. */
export type ConditionType<K extends Kind> = keyof (typeof CONDITIONS)[K] & string;

/** The reasons that a condition of a kind can have. */
export type ConditionReason<K extends Kind, T extends ConditionType<K>> = keyof (typeof CONDITIONS)[K][T] & string;

/** What a condition says; undefined when the table does not allow it. */
export function reasonMeaning(kind: Kind, type: string, reason: string): ReasonMeaning | undefined {
  const types: Readonly<Record<string, Readonly<Record<string, ReasonMeaning>>>> = CONDITIONS[kind];
  return types[type]?.[reason];
}

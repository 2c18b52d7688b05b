/**
 * Kubernetes events: one per transition, never one per pass. The reason is a word of these closed tables; numbers stand only
 * in the note (Kubernetes, event style guide). What concerns a store is told once, on the JobStore, not on each of its
 * queues.
 */
import type { Condition } from "@jobqueue/crds";
import type { EmitEvent, ObjectIdentity } from "../plan/action.ts";
import type { EventFacts, EventObject } from "../kube/index.ts";
import { conditionOf } from "./conditions.ts";

/** Every event about a JobQueue, with what it means. */
export const JOB_QUEUE_EVENTS = {
  QueuePaused: { type: "Normal", action: "Pause", meaning: "The first hold came into force; no more jobs start." },
  QueueResumed: { type: "Normal", action: "Resume", meaning: "The last hold ended; jobs start again." },
  ObjectiveMissed: { type: "Warning", action: "Watch", meaning: "The backlog is not within spec.objectives any more." },
  ObjectiveMet: { type: "Normal", action: "Watch", meaning: "The backlog is within spec.objectives again." },
  InvalidSpec: { type: "Warning", action: "Reconcile", meaning: "The spec says something that cannot be." },
  DeletionBlocked: {
    type: "Warning",
    action: "Delete",
    meaning: "Its deletionPolicy waits for jobs, or for the store.",
  },
  WorkerRestarted: {
    type: "Warning",
    action: "Restart",
    meaning: "A hung worker was fenced, its jobs were handed on and its pod was evicted. Also on the pod.",
  },
  WorkerHung: { type: "Warning", action: "Watch", meaning: "A worker is there but makes no progress." },
  WorkersRecovered: { type: "Normal", action: "Watch", meaning: "No worker is hung any more." },
  RestartsSuspended: { type: "Warning", action: "Watch", meaning: "Hung workers are not replaced for now." },
  RestartsResumed: { type: "Normal", action: "Watch", meaning: "Hung workers are replaced again." },
  JobsRecovered: {
    type: "Normal",
    action: "Recover",
    meaning: "Stale jobs were handed on: of pods that are gone, or because somebody asked for it by an annotation.",
  },
  NothingRecovered: {
    type: "Normal",
    action: "Recover",
    meaning: "Somebody asked for a recovery by an annotation, and no job was stale.",
  },
  ReconcileSuspended: {
    type: "Normal",
    action: "Reconcile",
    meaning: "An annotation asks the operator to leave the JobQueue alone, and it does.",
  },
  ReconcileResumed: { type: "Normal", action: "Reconcile", meaning: "That annotation is gone: the operator goes on." },
  QueueConflict: { type: "Warning", action: "Reconcile", meaning: "An older JobQueue manages the same queue." },
  DeploymentConflict: { type: "Warning", action: "Reconcile", meaning: "The Deployment belongs to somebody else." },
  DisruptionBudgetConflict: {
    type: "Warning",
    action: "Reconcile",
    meaning: "The PodDisruptionBudget belongs to somebody else.",
  },
  InvalidPodTemplate: { type: "Warning", action: "Reconcile", meaning: "The API server refuses the pods of the pool." },
  WorkerRolloutFailed: {
    type: "Warning",
    action: "Reconcile",
    meaning: "New pods cannot be made, or did not become ready in time.",
  },
} as const;

/** Every event about a JobStore, with what it means. */
export const JOB_STORE_EVENTS = {
  StoreUnreachable: { type: "Warning", action: "Connect", meaning: "The store stopped answering, or never did." },
  StoreRecovered: { type: "Normal", action: "Connect", meaning: "The store answers again." },
  SchemaMigrated: { type: "Normal", action: "Migrate", meaning: "The schema was installed or brought up to date." },
  SchemaIncompatible: {
    type: "Warning",
    action: "Migrate",
    meaning: "The schema cannot be used or brought up to date.",
  },
} as const;

type EventTable = Readonly<Record<string, { readonly type: "Normal" | "Warning"; readonly action: string }>>;

function event<Table extends EventTable>(
  table: Table,
  reason: keyof Table & string,
  object: ObjectIdentity,
  sentence: string,
): EmitEvent {
  const { type, action } = table[reason] as Table[string];
  return { do: "emitEvent", object, type, action, reason, sentence };
}

/** The events that a change of a JobQueue's conditions makes. */
export function jobQueueEvents(
  object: ObjectIdentity,
  before: readonly Condition[] | undefined,
  after: readonly Condition[],
): readonly EmitEvent[] {
  const events: EmitEvent[] = [];
  const wasPaused = conditionOf(before, "Paused")?.status;
  const paused = conditionOf(after, "Paused");
  if (paused?.status === "True" && wasPaused !== "True") {
    events.push(event(JOB_QUEUE_EVENTS, "QueuePaused", object, paused.message));
  }
  if (paused?.status === "False" && wasPaused === "True") {
    events.push(event(JOB_QUEUE_EVENTS, "QueueResumed", object, paused.message));
  }
  const wasWithin = conditionOf(before, "BacklogWithinTarget")?.status;
  const within = conditionOf(after, "BacklogWithinTarget");
  if (within?.status === "False" && wasWithin !== "False") {
    events.push(event(JOB_QUEUE_EVENTS, "ObjectiveMissed", object, within.message));
  }
  if (within?.status === "True" && wasWithin === "False") {
    events.push(event(JOB_QUEUE_EVENTS, "ObjectiveMet", object, within.message));
  }
  const wasHealthy = conditionOf(before, "Healthy")?.status;
  const healthy = conditionOf(after, "Healthy");
  if (healthy?.status === "False" && wasHealthy !== "False") {
    events.push(event(JOB_QUEUE_EVENTS, "WorkerHung", object, healthy.message));
  }
  if (healthy?.status === "True" && wasHealthy === "False") {
    events.push(event(JOB_QUEUE_EVENTS, "WorkersRecovered", object, healthy.message));
  }
  const wereSuspended = conditionOf(before, "RestartsSuspended");
  const areSuspended = conditionOf(after, "RestartsSuspended");
  if (areSuspended && areSuspended.reason !== wereSuspended?.reason) {
    events.push(event(JOB_QUEUE_EVENTS, "RestartsSuspended", object, areSuspended.message));
  }
  if (!areSuspended && wereSuspended) {
    events.push(event(JOB_QUEUE_EVENTS, "RestartsResumed", object, "Hung workers are replaced again."));
  }
  const ready = conditionOf(after, "Ready");
  if (ready?.reason === "DeletionBlocked" && conditionOf(before, "Ready")?.reason !== "DeletionBlocked") {
    events.push(event(JOB_QUEUE_EVENTS, "DeletionBlocked", object, ready.message));
  }
  const wasSuspended = conditionOf(before, "ReconcileSuspended") !== undefined;
  const suspended = conditionOf(after, "ReconcileSuspended");
  if (suspended && !wasSuspended) {
    events.push(event(JOB_QUEUE_EVENTS, "ReconcileSuspended", object, suspended.message));
  }
  if (!suspended && wasSuspended) {
    events.push(event(JOB_QUEUE_EVENTS, "ReconcileResumed", object, "The spec is brought into force again."));
  }
  const stalled = conditionOf(after, "Stalled");
  if (stalled && stalled.reason in JOB_QUEUE_EVENTS && stalled.reason !== conditionOf(before, "Stalled")?.reason) {
    events.push(event(JOB_QUEUE_EVENTS, stalled.reason as keyof typeof JOB_QUEUE_EVENTS, object, stalled.message));
  }
  return events;
}

/** The events of a restart: on the queue and on the pod, so that `kubectl describe pod` explains the eviction. */
export function restartEvents(facts: {
  readonly reason: string;
  readonly sentence: string;
  readonly queue: EventObject;
  readonly pod: EventObject;
}): readonly EventFacts[] {
  const { type, action } = JOB_QUEUE_EVENTS.WorkerRestarted;
  const { queue, pod, sentence } = facts;
  const told = { type, action, reason: "WorkerRestarted", note: sentence };
  return [
    { ...told, regarding: queue, related: pod },
    { ...told, regarding: pod, related: queue },
  ];
}

/** Tells how many jobs were handed on and why, or that somebody asked for it in vain. */
export function jobsRecovered(
  object: ObjectIdentity,
  { jobs, sentence }: { readonly jobs: number; readonly sentence: string },
): EmitEvent {
  return event(JOB_QUEUE_EVENTS, jobs > 0 ? "JobsRecovered" : "NothingRecovered", object, sentence);
}

/** The events that a change of a JobStore's conditions makes. */
export function jobStoreEvents(
  object: ObjectIdentity,
  before: readonly Condition[] | undefined,
  after: readonly Condition[],
): readonly EmitEvent[] {
  const events: EmitEvent[] = [];
  const was = conditionOf(before, "Reachable");
  const reachable = conditionOf(after, "Reachable");
  if (reachable?.status === "False" && (was?.status !== "False" || was.reason !== reachable.reason)) {
    events.push(event(JOB_STORE_EVENTS, "StoreUnreachable", object, reachable.message));
  }
  if (reachable?.status === "True" && was?.status === "False") {
    events.push(event(JOB_STORE_EVENTS, "StoreRecovered", object, reachable.message));
  }
  const hadSchema = conditionOf(before, "SchemaCompatible");
  const schema = conditionOf(after, "SchemaCompatible");
  const unusable = schema?.reason === "TooNew" || schema?.reason === "MigrationFailed";
  if (schema && unusable && hadSchema?.reason !== schema.reason) {
    events.push(event(JOB_STORE_EVENTS, "SchemaIncompatible", object, schema.message));
  }
  if (schema?.status === "True" && (hadSchema?.reason === "Migrating" || hadSchema?.reason === "MigrationFailed")) {
    events.push(event(JOB_STORE_EVENTS, "SchemaMigrated", object, schema.message));
  }
  return events;
}

/**
 * Kubernetes events: one per transition, never one per pass. The reason is a word of these closed tables; numbers stand only
 * in the note (Kubernetes, event style guide). What concerns a store is told once, on the JobStore, not on each of its
 * queues.
 */
import type { Condition } from "@jobqueue/crds";
import type { EmitEvent, ObjectIdentity } from "../plan/action.ts";
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
  JobsRecovered: { type: "Normal", action: "Recover", meaning: "Jobs of pods that are gone were handed on." },
  QueueConflict: { type: "Warning", action: "Reconcile", meaning: "An older JobQueue manages the same queue." },
  DeploymentConflict: { type: "Warning", action: "Reconcile", meaning: "The Deployment belongs to somebody else." },
  InvalidPodTemplate: { type: "Warning", action: "Reconcile", meaning: "The API server refuses the pods of the pool." },
  WorkerRolloutFailed: { type: "Warning", action: "Reconcile", meaning: "New pods did not become ready in time." },
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
  const ready = conditionOf(after, "Ready");
  if (ready?.reason === "DeletionBlocked" && conditionOf(before, "Ready")?.reason !== "DeletionBlocked") {
    events.push(event(JOB_QUEUE_EVENTS, "DeletionBlocked", object, ready.message));
  }
  const stalled = conditionOf(after, "Stalled");
  if (stalled && stalled.reason in JOB_QUEUE_EVENTS && stalled.reason !== conditionOf(before, "Stalled")?.reason) {
    events.push(event(JOB_QUEUE_EVENTS, stalled.reason as keyof typeof JOB_QUEUE_EVENTS, object, stalled.message));
  }
  return events;
}

/** Tells how many jobs were handed on, and from which pods. */
export function jobsRecovered(object: ObjectIdentity, sentence: string): EmitEvent {
  return event(JOB_QUEUE_EVENTS, "JobsRecovered", object, sentence);
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

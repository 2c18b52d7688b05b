import type { Condition } from "@jobqueue/crds";
import { describe, expect, it } from "vitest";
import { jobQueueEvents, jobStoreEvents } from "./events.ts";

const queue = { kind: "JobQueue", namespace: "shop", name: "mailers", uid: "u" } as const;
const store = { kind: "JobStore", namespace: "shop", name: "default", uid: "u" } as const;
const condition = (type: string, status: Condition["status"], reason: string): Condition => ({
  type,
  status,
  reason,
  message: "…",
  lastTransitionTime: "2026-08-01T12:00:00Z",
});
const reasons = (events: readonly { readonly reason: string }[]) => events.map(({ reason }) => reason);

describe("events about a JobQueue", () => {
  const paused = [condition("Paused", "True", "PausedBySpec")];
  const active = [condition("Paused", "False", "Active")];
  const unknown = [condition("Paused", "Unknown", "StoreUnreachable")];
  const stalled = (reason: string) => [condition("Stalled", "True", reason)];
  it.each([
    ["a queue that starts its life active is no news", undefined, active, []],
    ["a queue that starts its life paused is", undefined, paused, ["QueuePaused"]],
    ["a pause", active, paused, ["QueuePaused"]],
    ["a pause that goes on under another reason is no news", paused, [condition("Paused", "True", "PausedByHold")], []],
    ["a resume", paused, active, ["QueueResumed"]],
    ["an outage of the store is told on the JobStore", paused, unknown, []],
    ["something a person must end", active, [...active, ...stalled("QueueConflict")], ["QueueConflict"]],
    ["the same thing is told once", stalled("QueueConflict"), stalled("QueueConflict"), []],
    ["another thing is told again", stalled("QueueConflict"), stalled("InvalidPodTemplate"), ["InvalidPodTemplate"]],
  ])("%s", (_sentence, before, after, told) => {
    expect(reasons(jobQueueEvents(queue, before, after))).toEqual(told);
  });
});

describe("events about a JobStore", () => {
  const up = [condition("Reachable", "True", "Connected")];
  const refused = [condition("Reachable", "False", "AuthFailed")];
  const schema = (status: Condition["status"], reason: string) => [condition("SchemaCompatible", status, reason)];
  it.each([
    ["a first connection is no news", [condition("Reachable", "Unknown", "Connecting")], up, []],
    ["an outage", up, refused, ["StoreUnreachable"]],
    ["an outage for another reason", [condition("Reachable", "False", "Timeout")], refused, ["StoreUnreachable"]],
    ["an outage that goes on is no news", refused, refused, []],
    ["the end of an outage", refused, up, ["StoreRecovered"]],
    ["a schema that was installed", schema("False", "Migrating"), schema("True", "Compatible"), ["SchemaMigrated"]],
    ["a schema that is too new", undefined, schema("False", "TooNew"), ["SchemaIncompatible"]],
    [
      "a migration that fails again is no news",
      schema("False", "MigrationFailed"),
      schema("False", "MigrationFailed"),
      [],
    ],
  ])("%s", (_sentence, before, after, told) => {
    expect(reasons(jobStoreEvents(store, before, after))).toEqual(told);
  });
});

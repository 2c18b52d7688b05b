import type { Action, ObjectIdentity } from "../../plan/action.ts";
import { jobStoreEvents } from "../events.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import type { StoreReport } from "./status.ts";

/** What to tell about a JobStore: its status where it differs, and an event for each transition. */
export function tellStore(jobStore: StoredJobStore, { status, differs, countsOnly }: StoreReport): readonly Action[] {
  if (!differs) return [];
  const { namespace, name, uid } = jobStore.metadata;
  const object = { kind: "JobStore", namespace, name, uid } satisfies ObjectIdentity;
  return [
    {
      do: "patchStatus",
      kind: "JobStore",
      object,
      status,
      countsOnly,
      reason: "StatusDiffers",
      sentence: "The status is not what was observed.",
    },
    ...jobStoreEvents(object, jobStore.status?.conditions, status.conditions ?? []),
  ];
}

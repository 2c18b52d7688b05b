import type { Action, ObjectIdentity } from "../../plan/action.ts";
import type { Outcome } from "../../plan/outcome.ts";
import { jobQueueEvents, jobsRecovered } from "../events.ts";
import type { StoredJobQueue } from "../kubernetes-objects.ts";
import type { Report } from "./status.ts";

/**
 * What to tell about a JobQueue: its status where it differs, and an event for each transition. The status is written before
 * its transitions are told, so that a write that fails and is repeated tells each once; what was recovered is told first,
 * because the next pass will not know of it.
 */
export function tell(
  queue: StoredJobQueue,
  { status, differs, countsOnly }: Report,
  { recovered }: Pick<Outcome, "recovered">,
): readonly Action[] {
  const { namespace, name, uid } = queue.metadata;
  const object = { kind: "JobQueue", namespace, name, uid } satisfies ObjectIdentity;
  const actions: Action[] = recovered ? [jobsRecovered(object, recovered)] : [];
  if (differs) {
    actions.push({
      do: "patchStatus",
      kind: "JobQueue",
      object,
      status,
      countsOnly,
      reason: "StatusDiffers",
      sentence: "The status is not what was observed.",
    });
  }
  return [...actions, ...jobQueueEvents(object, queue.status?.conditions, status.conditions ?? [])];
}

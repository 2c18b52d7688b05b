import type { Action } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import type { ObservedStore } from "../observed.ts";
import { ORPHAN_GRACE_MS } from "./orphan-holds.ts";

/** Schedules of JobQueues that were deleted are taken away, by the rules for their holds (`../../spec-hold.ts`, orphans). */
export function orphanSchedules({ key, orphanSchedules: orphans }: ObservedStore): Finding {
  const actions = orphans.map(({ name, queue, owner, forMs }): Action => {
    const sentence = `JobQueue ${owner.namespace}/${owner.name}, which had this schedule for the queue ${queue}, was deleted.`;
    const reason = "OrphanSchedule";
    if (forMs < ORPHAN_GRACE_MS) return { do: "wait", ms: ORPHAN_GRACE_MS - forMs, reason, sentence };
    const actor = actorFor(`${owner.namespace}/${owner.name}`);
    return { do: "deleteSchedule", store: key, name, actor, unlessExists: owner, reason, sentence };
  });
  return { actions };
}

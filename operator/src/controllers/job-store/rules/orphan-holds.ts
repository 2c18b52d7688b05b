import type { Action } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import type { ObservedStore } from "../observed.ts";

/** How long a queue must be without a JobQueue before the hold it left behind is released: longer than a recreation takes. */
export const ORPHAN_GRACE_MS = 60_000;

/** Holds `spec` of JobQueues that were deleted are released. The protocol is in `../../spec-hold.ts`. */
export function orphanHolds({ key, orphans }: ObservedStore): Finding {
  const actions = orphans.map(({ hold, owner, forMs }): Action => {
    const sentence = `JobQueue ${owner.namespace}/${owner.name}, which held the queue ${hold.queue}, was deleted.`;
    if (forMs < ORPHAN_GRACE_MS) return { do: "wait", ms: ORPHAN_GRACE_MS - forMs, reason: "OrphanHold", sentence };
    return {
      do: "releaseHold",
      store: key,
      queue: hold.queue,
      hold: hold.name,
      actor: actorFor(`${owner.namespace}/${owner.name}`),
      unlessExists: owner,
      reason: "OrphanHold",
      sentence,
    };
  });
  return { actions };
}

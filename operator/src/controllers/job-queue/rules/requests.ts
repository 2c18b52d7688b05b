import { ANNOTATIONS } from "@jobqueue/crds";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import { cut, STATUS_BOUNDS } from "../../status-bounds.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/**
 * A person asked for a recovery of the queue by an annotation: done once for each new value, which the status then repeats. It
 * is a person's decision, so it does not ask what staleLockRecovery of the JobStore says, and waits for no grace; jobs with a
 * live worker are not stale and stay. A crash between the recovery and the status repeats it, which then finds nothing.
 */
export function requests({ queue, store }: Observed): Finding {
  const asked = queue?.metadata.annotations?.[ANNOTATIONS.recoverRequested.name];
  if (!queue || asked === undefined || asked === "" || store.is !== "ready") return {};
  const request = cut(asked, STATUS_BOUNDS.handledRequest);
  if (queue.status?.handledRequests?.recover === request) return {};
  return {
    actions: [
      {
        do: "recoverQueue",
        store: storeKeyOf(queue),
        queue: queueNameOf(queue),
        actor: actorFor(poolOf(queue)),
        request,
        reason: "RecoverRequested",
        sentence: `${ANNOTATIONS.recoverRequested.name} of JobQueue ${poolOf(queue)} is "${request}".`,
      },
    ],
  };
}

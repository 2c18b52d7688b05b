import { ANNOTATIONS } from "@jobqueue/crds";
import type { Finding } from "../../../plan/plan.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";
import type { Observed } from "../observed.ts";

/** Whether a person asked the operator to leave this JobQueue alone. */
function isSuspended({ metadata }: StoredJobQueue): boolean {
  return metadata.annotations?.[ANNOTATIONS.reconcile.name] === "suspended";
}

/**
 * While the annotation stands nothing is brought in line: no hold, no policy, no Deployment, and no worker is restarted.
 * Holds that are in force stay so (a pause must not end because somebody looks into something), jobs go on running, and
 * their leases still protect them: recovery by the sweep of the store is not this object's. Asked after deletion, which must
 * never be held up.
 */
export function suspended({ queue }: Observed): Finding {
  if (!queue || !isSuspended(queue)) return {};
  const sentence = `The annotation ${ANNOTATIONS.reconcile.name} is suspended: nothing is brought in line with the spec; remove it to go on.`;
  return { halt: true, problem: { reason: "ReconcileSuspended", sentence, ready: "Unknown", needsPerson: false } };
}

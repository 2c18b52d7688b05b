import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import { policyToWrite } from "../desired/policy.ts";
import type { Observed } from "../observed.ts";

/** What the spec says about its jobs is what the store has; what it leaves out is nobody's business here. */
export function policy({ queue: object, store }: Observed): Finding {
  if (!object || store.is !== "ready") return {};
  const wanted = policyToWrite(object.spec, store.policy);
  if (!wanted) return {};
  return {
    actions: [
      {
        do: "configureQueue",
        store: storeKeyOf(object),
        queue: queueNameOf(object),
        policy: wanted,
        actor: actorFor(poolOf(object)),
        reason: "PolicyDiffers",
        sentence: `spec of JobQueue ${poolOf(object)}: ${Object.keys(wanted).join(", ")}.`,
      },
    ],
  };
}

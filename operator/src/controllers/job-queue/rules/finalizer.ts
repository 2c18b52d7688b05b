import type { Finding } from "../../../plan/plan.ts";
import { FINALIZER } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** A JobQueue has our finaliser exactly while its deletionPolicy asks for one; what it does is in `deletion.ts`. */
export function finalizer({ queue }: Observed): Finding {
  if (!queue) return {};
  const { namespace, name, uid, resourceVersion, finalizers = [] } = queue.metadata;
  const wanted = queue.spec.deletionPolicy !== "Retain";
  if (wanted === finalizers.includes(FINALIZER)) return {};
  return {
    actions: [
      {
        do: "setFinalizers",
        object: { kind: "JobQueue", namespace, name, uid },
        resourceVersion,
        finalizers: wanted ? [...finalizers, FINALIZER] : finalizers.filter((one) => one !== FINALIZER),
        reason: "FinalizerDiffers",
        sentence: `spec.deletionPolicy is ${queue.spec.deletionPolicy}.`,
      },
    ],
  };
}

import type { Finding } from "../../../plan/plan.ts";
import { desiredDisruptionBudget } from "../desired/disruption-budget.ts";
import { firstDifference } from "../desired/drift.ts";
import type { Observed } from "../observed.ts";
import { leftover } from "./leftover.ts";

/** How often to look at what cannot be watched: a PodDisruptionBudget without our labels. */
const FOREIGN_LOOK_MS = 60_000;
/** How soon to read again what could not be read. */
const UNKNOWN_LOOK_MS = 5_000;

/**
 * The PodDisruptionBudget is what spec.workers.disruptionBudget says; without the field there is none of ours. One that this
 * very JobQueue does not own is never touched. Whatever is wrong with it, the rules after this one go on.
 */
export function disruptionBudget({ queue, disruptionBudget: found }: Observed, now: number): Finding {
  if (!queue) return {};
  const desired = desiredDisruptionBudget(queue);
  if (!desired) {
    if (found.is !== "ours" || found.object.metadata.deletionTimestamp !== undefined) return {};
    const { namespace = "", name, uid, resourceVersion } = found.object.metadata;
    const sentence = "The JobQueue has no spec.workers.disruptionBudget any more.";
    const reason = "DisruptionBudgetRemoved";
    return { actions: [{ do: "deleteDisruptionBudget", namespace, name, uid, resourceVersion, reason, sentence }] };
  }
  const { name } = desired.metadata;
  if (found.is === "unknown") {
    const { sentence } = found;
    return { actions: [{ do: "wait", ms: UNKNOWN_LOOK_MS, reason: "DisruptionBudgetUnknown", sentence }] };
  }
  if (found.is === "leftover") return leftover(queue, "PodDisruptionBudget", found.object, now);
  if (found.is === "foreign") {
    const reason = "DisruptionBudgetConflict";
    const sentence = `The PodDisruptionBudget ${name} belongs to ${found.owner} and is never adopted; delete it, or take spec.workers.disruptionBudget away.`;
    return {
      problem: { reason, sentence, ready: "False", needsPerson: true },
      actions: [{ do: "wait", ms: FOREIGN_LOOK_MS, reason, sentence }],
    };
  }
  if (found.is === "absent") {
    const sentence = "The pool has no PodDisruptionBudget yet.";
    return {
      actions: [
        { do: "applyDisruptionBudget", budget: desired, uid: undefined, reason: "DisruptionBudgetMissing", sentence },
      ],
    };
  }
  const { metadata, spec } = found.object;
  const { labels, ownerReferences } = desired.metadata;
  const changed =
    firstDifference({ labels, ownerReferences }, metadata, "metadata") ?? firstDifference(desired.spec, spec, "spec");
  if (changed === undefined) return {};
  const sentence = `Because ${changed} of the PodDisruptionBudget is not as the spec says.`;
  const { uid } = metadata;
  return {
    actions: [{ do: "applyDisruptionBudget", budget: desired, uid, reason: "DisruptionBudgetDiffers", sentence }],
  };
}

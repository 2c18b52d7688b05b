import type { JobQueue } from "@jobqueue/crds";
import type { OwnerReference } from "../../../kube/index.ts";
import { labelsOf, ownerReferenceTo, selectorOf, workersName } from "./names.ts";

/** A PodDisruptionBudget as it is applied: every field in it is ours. */
export interface DesiredDisruptionBudget {
  readonly apiVersion: "policy/v1";
  readonly kind: "PodDisruptionBudget";
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly OwnerReference[];
  };
  readonly spec: object;
}

/**
 * The PodDisruptionBudget of a pool, of the name of its Deployment; `undefined` unless `spec.workers.disruptionBudget` is there.
 * Pods that are not ready may always be evicted: they do no work that could be disturbed, and a pool of which all are unwell
 * would keep its nodes from ever being drained (KEP-3017).
 */
export function desiredDisruptionBudget(queue: JobQueue): DesiredDisruptionBudget | undefined {
  const budget = queue.spec.workers?.disruptionBudget;
  if (!budget) return undefined;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: {
      namespace: queue.metadata.namespace,
      name: workersName(queue.metadata.name),
      labels: labelsOf(queue),
      ownerReferences: [ownerReferenceTo(queue)],
    },
    spec: {
      maxUnavailable: budget.maxUnavailable,
      selector: { matchLabels: selectorOf(queue) },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}

/**
 * Whether the JobQueues of a namespace may use a JobStore: the store opts in, as Kubernetes asks of references across
 * namespaces (api-conventions, "Cross-namespace references"). Without it nothing of a queue is known or done in the store,
 * and a JobQueue that may not use the store is nobody's rival in it.
 */
import type { JobQueue, NamespaceSelector } from "@jobqueue/crds";
import type { StoredJobStore } from "./kubernetes-objects.ts";

/** Labels of a namespace; `undefined`: there is no such namespace; "unknown": the operator cannot read them. */
export type NamespaceLabels = Readonly<Record<string, string>> | undefined | "unknown";

/** The answer, and for people why. */
export type Allowance =
  | { readonly is: "allowed" }
  | { readonly is: "refused"; readonly sentence: string }
  | { readonly is: "unknown"; readonly sentence: string };

/** Whether a JobQueue may use the JobStore that it names. */
export function allowanceOf(
  { metadata: { namespace } }: Pick<JobQueue, "metadata">,
  { metadata, spec: { allowedNamespaces } }: StoredJobStore,
  labelsOf: (namespace: string) => NamespaceLabels,
): Allowance {
  const { from, selector = {} } = allowedNamespaces ?? { from: "Same" }; // an object may be older than the field
  if (namespace === metadata.namespace || from === "All") return { is: "allowed" };
  const refused = (why: string): Allowance => ({
    is: "refused",
    sentence: `JobStore ${metadata.namespace}/${metadata.name} does not let namespace ${namespace} in: ${why}.`,
  });
  if (from === "Same") return refused("its spec.allowedNamespaces is Same; whoever owns it can change that");
  const labels = labelsOf(namespace);
  if (labels === "unknown") {
    const sentence = `Whether JobStore ${metadata.namespace}/${metadata.name} lets namespace ${namespace} in depends on labels of namespaces, which an operator that works in some namespaces only cannot read; the store has to say from: All, or the operator has to work in all.`;
    return { is: "unknown", sentence };
  }
  if (labels !== undefined && matches(selector, labels)) return { is: "allowed" };
  return refused("its labels do not match spec.allowedNamespaces.selector; change the one or the other");
}

type Expression = NonNullable<NamespaceSelector["matchExpressions"]>[number];

/** When each operator holds for the value of a label; `undefined`: the label is not there. */
const HOLDS: Readonly<
  Record<Expression["operator"], (value: string | undefined, values: readonly string[]) => boolean>
> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

/** As a Kubernetes label selector matches: all conditions must hold; NotIn holds for a label that is not there. */
function matches(
  { matchLabels = {}, matchExpressions = [] }: NamespaceSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => HOLDS[operator](labels[key], values))
  );
}

/**
 * The Deployment of a pool, as a function of the JobQueue and its JobStore. What the template leaves out follows the
 * `restricted` Pod Security Standard; what the operator sets (labels, environment, grace, identity) wins over it.
 */
import { type JobQueue, type JobQueueStrategy, type JobStore } from "@jobqueue/crds";
import type { OwnerReference } from "../../../kube/index.ts";
import { canonical } from "../../canonical.ts";
import { APPLIED_HASH, labelsOf, ownerReferenceTo, selectorOf, shortHash, workersName } from "./names.ts";
import { podTemplate } from "./pod-template.ts";

/** A Deployment as it is applied: every field in it is ours. */
export interface DesiredDeployment {
  readonly apiVersion: "apps/v1";
  readonly kind: "Deployment";
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly OwnerReference[];
  };
  readonly spec: { readonly replicas: number; readonly template: object; readonly [field: string]: unknown };
}

/** By default a new pod comes first and an old one goes when the new one is ready: an update never lowers their number. */
function strategyOf({ type, maxSurge, maxUnavailable }: JobQueueStrategy): object {
  return type === "Recreate" ? { type } : { type, rollingUpdate: { maxSurge, maxUnavailable } };
}

/** Makes it. The JobQueue must have `spec.workers`. How many pods there should be now: see `replicas.ts`. */
export function desiredDeployment(
  queue: JobQueue,
  store: JobStore,
  replicas: number = queue.spec.replicas,
): DesiredDeployment {
  const { workers } = queue.spec;
  const { labels: own = {}, annotations = {} } = workers?.deploymentMetadata ?? {};
  const labels = { ...own, ...labelsOf(queue) };
  const hashed = Object.keys(annotations).length > 0 ? { annotations } : {};
  if (!workers) throw new Error("a JobQueue without workers has no Deployment");
  const spec = {
    replicas,
    selector: { matchLabels: selectorOf(queue) },
    strategy: strategyOf(workers.strategy),
    minReadySeconds: workers.minReadySeconds,
    progressDeadlineSeconds: workers.progressDeadlineSeconds,
    revisionHistoryLimit: 3,
    template: podTemplate(queue, store),
  };
  const plain = JSON.parse(JSON.stringify(spec)) as typeof spec; // no `undefined`: it is hashed, compared and sent
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      namespace: queue.metadata.namespace,
      name: workersName(queue.metadata.name),
      labels,
      annotations: { ...annotations, [APPLIED_HASH]: shortHash(canonical({ spec: plain, labels, ...hashed }), 16) },
      ownerReferences: [ownerReferenceTo(queue)],
    },
    spec: plain,
  };
}

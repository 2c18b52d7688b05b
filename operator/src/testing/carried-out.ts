import type { JobQueueStatus } from "@jobqueue/crds";
import type { ApiClient, KubeObject } from "../../../test/support/api-server/api-client.ts";

/** An object that a controller of the cluster looks after, as far as it tells whether that one is through with it. */
interface Controlled extends KubeObject {
  readonly metadata: KubeObject["metadata"] & {
    readonly generation?: number;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/**
 * Whether the cluster's own controllers are through with the Deployments of a namespace, and the operator has told what they
 * came to. Their steps come when they like, late on a busy machine, and each makes the operator write a status.
 */
export async function isCarriedOut(api: ApiClient, namespace: string): Promise<boolean> {
  const list = async <T extends KubeObject = Controlled>(group: string, what: string): Promise<readonly T[]> =>
    (await api.get<{ items: T[] }>(`${group}/namespaces/${namespace}/${what}`)).items;
  const [jobQueues, deployments, replicaSets, pods] = await Promise.all([
    list<KubeObject & { readonly status?: JobQueueStatus }>("/apis/jobqueue.dev/v1alpha1", "jobqueues"),
    list("/apis/apps/v1", "deployments"),
    list("/apis/apps/v1", "replicasets"),
    list("/api/v1", "pods"),
  ]);
  const there = pods.filter(({ metadata }) => metadata["deletionTimestamp"] === undefined);
  const hasItsPods = (set: Controlled): boolean => {
    const own = there.filter(isOf(set));
    const wanted = counts(own.length, own.filter(isReady).length);
    return isSeen(set) && set.spec.replicas === own.length && counted(set) === wanted;
  };
  const tellsItsSets = (deployment: Controlled): boolean => {
    const own = replicaSets.filter(isOf(deployment));
    const sum = (field: "replicas" | "readyReplicas"): number =>
      own.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
    return (
      isSeen(deployment) && own.length > 0 && counted(deployment) === counts(sum("replicas"), sum("readyReplicas"))
    );
  };
  const isTold = (deployment: Controlled): boolean =>
    jobQueues
      .filter(({ metadata: { uid = "" } }) => deployment.metadata.ownerReferences?.some((owner) => owner.uid === uid))
      .every(({ status }) => counts(status?.replicas, status?.workers?.ready) === counted(deployment));
  return replicaSets.every(hasItsPods) && deployments.every((one) => tellsItsSets(one) && isTold(one));
}

const isOf =
  ({ metadata: { uid = "" } }: Controlled) =>
  ({ metadata }: Controlled): boolean =>
    metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;

const isSeen = ({ metadata, status }: Controlled): boolean => status?.observedGeneration === metadata.generation;

const isReady = ({ status }: Controlled): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;

const counts = (replicas = 0, ready = 0): string => `${ready} of ${replicas}`;

const counted = ({ status }: Controlled): string => counts(status?.replicas, status?.readyReplicas);

import { GROUP, PLURALS, VERSION } from "@jobqueue/crds";
import { isNotFound, type KubeClient } from "@jobqueue/operator/kube";
import { Failure } from "../failure.ts";
import { clusterFailure, openCluster } from "./cluster.ts";

/** A cluster that serves our kinds. */
export interface ServingCluster {
  /** Which kubeconfig and context, or that we are inside. */
  readonly cluster: string;
  /** Version of Kubernetes. */
  readonly kubernetes: string;
  /** Such as `jobqueue.dev/v1alpha1`. */
  readonly apiVersion: string;
  readonly kinds: readonly string[];
}

/** The resources of our group that the cluster serves; none when it does not know the group. */
async function servedResources(client: KubeClient): Promise<readonly string[]> {
  try {
    const path = `/apis/${GROUP}/${VERSION}`;
    const list = await client.transport.request<{ resources?: { name: string }[] }>({ method: "GET", path });
    return (list.resources ?? []).map((resource) => resource.name);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

/** Asks a cluster whether it serves both kinds; fails when it does not. Any account that is let in may ask that. */
export async function servedKinds(options: Parameters<typeof openCluster>[0]): Promise<ServingCluster> {
  const { client, source, close } = await openCluster(options);
  try {
    const version = await client.transport.request<{ gitVersion: string }>({ method: "GET", path: "/version" });
    const served = await servedResources(client);
    const missing = Object.entries(PLURALS).flatMap(([kind, plural]) => (served.includes(plural) ? [] : [kind]));
    if (missing.length > 0) {
      throw new Failure("notFound", `the cluster does not serve ${missing.join(" and ")} of ${GROUP}/${VERSION}`, {
        remedy: "Install the chart, or: kubectl apply --server-side -f crds/jobstores.yaml -f crds/jobqueues.yaml",
      });
    }
    return {
      cluster: source,
      kubernetes: version.gitVersion,
      apiVersion: `${GROUP}/${VERSION}`,
      kinds: Object.keys(PLURALS),
    };
  } catch (error) {
    throw clusterFailure(error, "the cluster cannot be asked");
  } finally {
    await close();
  }
}

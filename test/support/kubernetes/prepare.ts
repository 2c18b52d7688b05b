import { load } from "../../cluster/load.ts";
import { join } from "node:path";
import { buildImages } from "../../../images/build.ts";
import { CLUSTER_DIRECTORY, KUBECONFIG } from "../../cluster/checkout.ts";
import { up } from "../../cluster/up.ts";
import type { ClusterAccess } from "./installation.ts";

/**
 * A cluster with our images in it: what `make cluster` starts or finds (CLUSTER=current: the user's), images built from
 * this checkout and loaded. Prints its steps.
 */
export async function prepareCluster(): Promise<ClusterAccess> {
  await up();
  const images = await buildImages();
  await load(Object.values(images));
  return {
    kubeconfig: KUBECONFIG,
    kubectl: join(CLUSTER_DIRECTORY, "bin/kubectl"),
    helm: join(CLUSTER_DIRECTORY, "bin/helm"),
    images: {
      operator: images["jobqueue-operator"],
      demoWorker: images["jobqueue-demo-worker"],
      demoPostgres: images["jobqueue-demo-postgres"],
    },
  };
}

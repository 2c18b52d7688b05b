import type { TestProject } from "vitest/node";
import type { ClusterAccess } from "./installation.ts";
import { prepareCluster } from "./prepare.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The cluster that end-to-end tests run on, with our images loaded. */
    cluster: ClusterAccess;
  }
}

/** Starts or reuses the cluster and loads our images. It stays when the tests are over: `make cluster-down` removes it. */
export default async function setup(project: TestProject): Promise<void> {
  project.provide("cluster", await prepareCluster());
}

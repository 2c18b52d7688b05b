import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { waitFor } from "../../cluster/wait-for.ts";
import { ApiClient, ApiError, type KubeObject } from "./api-client.ts";

const CRDS = join(import.meta.dirname, "../../../crds");
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Applies our two kinds and waits until the API server serves them. */
export async function applyCrds(kubeconfig: string): Promise<void> {
  const client = new ApiClient(kubeconfig);
  const definitions = ["jobstores.yaml", "jobqueues.yaml"]
    .map((file) => join(CRDS, file))
    .filter((path) => existsSync(path))
    .map((path) => parse(readFileSync(path, "utf8")) as KubeObject & { spec: CrdSpec });
  await Promise.all(definitions.map((crd) => client.apply(`${DEFINITIONS}/${crd.metadata.name}`, crd)));
  for (const { spec } of definitions) {
    const version = spec.versions.find((entry) => entry.served)?.name;
    const path = `/apis/${spec.group}/${version}/${spec.names.plural}`;
    // Established is said a moment before every request is answered, so ask for what is wanted: the collection.
    await waitFor(`${spec.names.plural} to be served`, () => isServed(client, path), {
      timeoutMs: 30_000,
      everyMs: 50,
    });
  }
}

/** 404 before the API server knows the kind, 429 while its watch cache fills. */
async function isServed(client: ApiClient, path: string): Promise<boolean> {
  try {
    await client.get(path);
    return true;
  } catch (error) {
    if (error instanceof ApiError && [404, 429].includes(error.status)) return false;
    throw error;
  }
}

interface CrdSpec {
  group: string;
  names: { plural: string };
  versions: { name: string; served: boolean }[];
}

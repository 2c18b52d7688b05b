import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** Root of this checkout of the repository. */
export const ROOT = realpathSync(join(import.meta.dirname, "../.."));

/**
 * Name of this checkout's cluster, its Docker network and its kubeconfig context. It comes from the path, so two
 * checkouts on one machine have two clusters; short, because node names are made of it and end up in pod facts.
 */
export const CLUSTER_NAME = `jobqueue-${createHash("sha256").update(ROOT).digest("hex").slice(0, 6)}`;

/** What a running cluster leaves in the checkout: `kubeconfig`, `bin/`. Removed with the cluster. */
export const CLUSTER_DIRECTORY = join(ROOT, ".cluster");
export const KUBECONFIG = join(CLUSTER_DIRECTORY, "kubeconfig");

/** Makes the directory when it is missing. */
export function createClusterDirectory(): void {
  mkdirSync(join(CLUSTER_DIRECTORY, "bin"), { recursive: true });
}

import { renameSync, rmSync } from "node:fs";
import { tool } from "./binaries/binaries.ts";
import { CLUSTER_NAME, createClusterDirectory, KUBECONFIG } from "./checkout.ts";
import { CommandError, run, tryRun } from "./command.ts";
import { docker, type Engine } from "./engine/engine.ts";
import { waitFor } from "./wait-for.ts";

/** One control plane (more would need an image of a load balancer) and two workers: the least in which a pod can move. */
const CONFIG = `
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes: [{ role: control-plane }, { role: worker }, { role: worker }]
`;

/** A network of the cluster's own: kind would put the clusters of all checkouts into one. */
const environment = (engine: Engine) => ({ ...engine.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: CLUSTER_NAME });

/** Node containers of this checkout's cluster. */
export interface NodeContainer {
  readonly name: string;
  readonly running: boolean;
  readonly image: string;
}

/** The containers that exist, whatever their state. */
export async function nodeContainers(engine: Engine): Promise<NodeContainer[]> {
  const format = "{{.Names}}\t{{.State}}\t{{.Image}}";
  const lines = await docker(engine, [
    "ps",
    "--all",
    "--filter",
    `label=io.x-k8s.kind.cluster=${CLUSTER_NAME}`,
    "--format",
    format,
  ]);
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t") as [string, string, string])
    .map(([name, state, image]) => ({ name, running: state === "running", image }));
}

/** Names of the nodes that run pods of ours. */
export async function workerNames(engine: Engine): Promise<string[]> {
  const names = (await nodeContainers(engine)).map(({ name }) => name);
  return names.filter((name) => !name.endsWith("-control-plane")).toSorted();
}

/** A file in the first node that says that the cluster was ready once; it goes with the node. */
const COMPLETE = ["test", "-e", "/kind/complete"];

/** Whether the cluster was ready once. One that was not is the work of a run that was killed. */
export async function isComplete(engine: Engine): Promise<boolean> {
  return (
    (await tryRun("docker", ["exec", `${CLUSTER_NAME}-control-plane`, ...COMPLETE], { env: engine.env })) !== undefined
  );
}

export async function markComplete(engine: Engine): Promise<void> {
  await docker(engine, ["exec", `${CLUSTER_NAME}-control-plane`, "touch", COMPLETE.at(-1) ?? ""]);
}

/** Creates the cluster and its kubeconfig; not yet ready when this returns. */
export async function createCluster(engine: Engine, image: string, log: string): Promise<void> {
  createClusterDirectory();
  const kind = await tool("kind");
  const kubeconfig = freshKubeconfig();
  const given = ["--image", image, "--kubeconfig", kubeconfig, "--config", "-"];
  for (let attempt = 1; ; attempt++) {
    await deleteCluster(engine);
    try {
      await run(kind, ["create", "cluster", "--name", CLUSTER_NAME, ...given], {
        env: environment(engine),
        input: CONFIG,
        log,
      });
      renameSync(kubeconfig, KUBECONFIG);
      return;
    } catch (error) {
      // A run that was killed had asked the engine for a container, which the engine finished after we had looked.
      const appeared = error instanceof CommandError && /already exist|is already in use/.test(error.stderr);
      if (!appeared || attempt === 3) throw error;
    }
  }
}

/** kind adds to a file that is there: give it none, and put the result in place when it is whole. */
function freshKubeconfig(): string {
  const path = `${KUBECONFIG}.new`;
  rmSync(path, { force: true });
  return path;
}

/** Writes the kubeconfig of a cluster that runs already. */
export async function exportKubeconfig(engine: Engine): Promise<void> {
  createClusterDirectory();
  const kubeconfig = freshKubeconfig();
  const args = ["export", "kubeconfig", "--name", CLUSTER_NAME, "--kubeconfig", kubeconfig];
  await run(await tool("kind"), args, { env: environment(engine) });
  renameSync(kubeconfig, KUBECONFIG);
}

/**
 * Removes the node containers in whatever state they are, their volumes and the network. A container that the engine is
 * still making, for a run that was killed, can be removed only once it is made.
 */
export async function deleteCluster(engine: Engine): Promise<void> {
  let last = "";
  const allGone = async () => {
    const names = (await nodeContainers(engine)).map(({ name }) => name);
    if (names.length === 0) return true;
    // A paused container cannot be killed before it is continued; tests pause nodes.
    await tryRun("docker", ["unpause", ...names], { env: engine.env });
    try {
      await docker(engine, ["rm", "--force", "--volumes", ...names]);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      last = error.message;
    }
    return false;
  };
  await waitFor("the nodes to be removed", allGone, { timeoutMs: 120_000, everyMs: 500, explain: () => last });
  const networks = (await docker(engine, ["network", "ls", "--quiet", "--filter", `name=^${CLUSTER_NAME}$`])).trim();
  if (networks) await docker(engine, ["network", "rm", ...networks.split("\n")]);
}

/**
 * Copies images of the engine into the workers. The control plane is left out: its taint keeps our pods away, and each
 * copy takes seconds.
 */
export async function loadImages(engine: Engine, images: readonly string[]): Promise<void> {
  const nodes = (await workerNames(engine)).join(",");
  const args = ["load", "docker-image", "--name", CLUSTER_NAME, "--nodes", nodes, ...images];
  await run(await tool("kind"), args, { env: environment(engine) });
}

/** Those of the images that a worker lacks; tags are hashes of content, so a name that is there is the image. */
export async function missingOnNodes(engine: Engine, images: readonly string[]): Promise<string[]> {
  const names = await workerNames(engine);
  if (names.length === 0) throw new Error(`the cluster ${CLUSTER_NAME} does not run: make cluster`);
  const lists = await Promise.all(
    names.map((node) => docker(engine, ["exec", node, "ctr", "--namespace", "k8s.io", "images", "ls", "--quiet"])),
  );
  return images.filter((image) => !lists.every((list) => list.split("\n").includes(`docker.io/library/${image}`)));
}

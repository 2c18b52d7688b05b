import { tool } from "./binaries/binaries.ts";
import { CLUSTER_NAME, createClusterDirectory, KUBECONFIG } from "./checkout.ts";
import { run, tryRun } from "./command.ts";
import { docker, type Engine } from "./engine/engine.ts";

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

/** Names of the nodes, workers last: `kind` orders them so in its own output too. */
export async function nodeNames(engine: Engine): Promise<string[]> {
  return (await nodeContainers(engine)).map(({ name }) => name).toSorted();
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
  const args = [
    "create",
    "cluster",
    "--name",
    CLUSTER_NAME,
    "--image",
    image,
    "--kubeconfig",
    KUBECONFIG,
    "--config",
    "-",
  ];
  await run(await tool("kind"), args, { env: environment(engine), input: CONFIG, log });
}

/** Writes the kubeconfig of a cluster that runs already. */
export async function exportKubeconfig(engine: Engine): Promise<void> {
  createClusterDirectory();
  const args = ["export", "kubeconfig", "--name", CLUSTER_NAME, "--kubeconfig", KUBECONFIG];
  await run(await tool("kind"), args, { env: environment(engine) });
}

/** Removes the node containers in whatever state they are, their volumes and the network. */
export async function deleteCluster(engine: Engine): Promise<void> {
  const containers = await nodeContainers(engine);
  if (containers.length > 0) {
    // A paused container cannot be killed before it is continued; tests pause nodes.
    await tryRun("docker", ["unpause", ...containers.map(({ name }) => name)], { env: engine.env });
    await docker(engine, ["rm", "--force", "--volumes", ...containers.map(({ name }) => name)]);
  }
  const networks = (await docker(engine, ["network", "ls", "--quiet", "--filter", `name=^${CLUSTER_NAME}$`])).trim();
  if (networks) await docker(engine, ["network", "rm", ...networks.split("\n")]);
}

/** Copies images of the engine into every node. */
export async function loadImages(engine: Engine, images: readonly string[]): Promise<void> {
  await run(await tool("kind"), ["load", "docker-image", "--name", CLUSTER_NAME, ...images], {
    env: environment(engine),
  });
}

/** Those of the images that a node lacks; tags are hashes of content, so a name that is there is the image. */
export async function missingOnNodes(engine: Engine, images: readonly string[]): Promise<string[]> {
  const names = await nodeNames(engine);
  if (names.length === 0) throw new Error(`the cluster ${CLUSTER_NAME} does not run: make cluster`);
  const lists = await Promise.all(
    names.map((node) => docker(engine, ["exec", node, "ctr", "--namespace", "k8s.io", "images", "ls", "--quiet"])),
  );
  return images.filter((image) => !lists.every((list) => list.split("\n").includes(`docker.io/library/${image}`)));
}

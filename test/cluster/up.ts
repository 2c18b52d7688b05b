/**
 * `make cluster`: starts the kind cluster of this checkout, or finds it running, and says how it got it. Leaves
 * `.cluster/kubeconfig` and the tools that fit in `.cluster/bin`. See README.md beside this file.
 */
import { symlinkSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { tool } from "./binaries/binaries.ts";
import { cacheDirectory } from "./cache.ts";
import { CLUSTER_DIRECTORY, CLUSTER_NAME, KUBECONFIG, ROOT } from "./checkout.ts";
import { adoptCurrentContext, usesCurrentContext } from "./current-context.ts";
import { type Engine, ensureEngine } from "./engine/engine.ts";
import { createCluster, exportKubeconfig, isComplete, markComplete, nodeContainers } from "./kind.ts";
import { withLock } from "./lock.ts";
import { ownNodeImage } from "./node-image/build.ts";
import { ensureNodeImage } from "./node-image/node-image.ts";
import { formatDuration, say, step } from "./progress.ts";
import { waitUntilReady } from "./ready.ts";

/** How long a new cluster may take until it is ready; half a minute is usual. */
const CREATE_TIMEOUT_MS = 180_000;
/** How long a cluster that already runs may take to show that it is well, before it is replaced. */
const REUSE_TIMEOUT_MS = 60_000;

/** Brings the cluster up; safe to call when it is. */
export async function up(): Promise<void> {
  const started = performance.now();
  if (usesCurrentContext()) {
    const context = await step(
      "cluster of the current context",
      adoptCurrentContext,
      (name) => `cluster: context ${name}`,
    );
    say(`its kubeconfig is a copy: ${relative(ROOT, KUBECONFIG)} (context ${context})`);
  } else {
    await withLock(CLUSTER_NAME, "starting the cluster", async () => {
      const engine = await ensureEngine();
      say(`engine: ${engine.description}`);
      if (!(await reuse(engine))) await create(engine);
    });
  }
  await linkTools();
  say(
    `ready in ${formatDuration(performance.now() - started)}: export KUBECONFIG=${KUBECONFIG} PATH=${CLUSTER_DIRECTORY}/bin:$PATH`,
  );
}

/** Whether there is a cluster that is well. */
async function reuse(engine: Engine): Promise<boolean> {
  const containers = await nodeContainers(engine);
  if (containers.length === 0) return false;
  const dead = containers.filter(({ running }) => !running).map(({ name }) => name);
  try {
    if (dead.length > 0) throw new Error(`not running: ${dead.join(", ")}`);
    if (!(await isComplete(engine))) throw new Error("the run that made it was ended before it was ready");
    await exportKubeconfig(engine);
    const found = await step("cluster found running", () => waitUntilReady(REUSE_TIMEOUT_MS));
    const image = containers[0]?.image ?? "";
    const old = image.startsWith("jobqueue-node:") && image !== ownNodeImage();
    const remark = old ? " (its node image is from earlier sources: make cluster-down cluster renews it)" : "";
    say(`cluster ${CLUSTER_NAME}: Kubernetes ${found.version}, ${found.nodes} nodes, reused${remark}`);
    return true;
  } catch (error) {
    say(
      `the cluster that is there cannot be used and is replaced: ${error instanceof Error ? error.message : String(error)}`,
    );
    return false;
  }
}

async function create(engine: Engine): Promise<void> {
  const image = await ensureNodeImage(engine);
  const log = join(cacheDirectory("logs"), `${CLUSTER_NAME}.log`);
  await step(`kind cluster ${CLUSTER_NAME} created from ${image} (log ${log})`, () =>
    createCluster(engine, image, log),
  );
  const { nodes, version } = await step("all nodes Ready and DNS up", () => waitUntilReady(CREATE_TIMEOUT_MS));
  await markComplete(engine);
  say(`cluster ${CLUSTER_NAME}: Kubernetes ${version}, ${nodes} nodes, new`);
}

/** kubectl, helm and kind of the right versions, for people and tests alike. */
async function linkTools(): Promise<void> {
  for (const name of ["kubectl", "helm", ...(usesCurrentContext() ? [] : (["kind"] as const))] as const) {
    const link = join(CLUSTER_DIRECTORY, "bin", name);
    rmSync(link, { force: true });
    symlinkSync(await tool(name), link);
  }
}

if (import.meta.main) {
  try {
    await up();
  } catch (error) {
    console.error(`\nmake cluster failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

/**
 * `node test/cluster/load.ts IMAGE…`: makes images of the local engine available to the cluster's nodes: copies them
 * into every node of the kind cluster; with CLUSTER=current pushes those whose name begins with IMAGE_REPOSITORY.
 */
import { CLUSTER_NAME } from "./checkout.ts";
import { usesCurrentContext } from "./current-context.ts";
import { docker, ensureEngine } from "./engine/engine.ts";
import { loadImages, missingOnNodes } from "./kind.ts";
import { withLock } from "./lock.ts";
import { say, step } from "./progress.ts";

/** Makes images available to the cluster; those that every node has already are not copied again. */
export async function load(images: readonly string[]): Promise<void> {
  if (usesCurrentContext()) {
    await push(images);
    return;
  }
  const engine = await ensureEngine();
  await withLock(CLUSTER_NAME, "loading images", async () => {
    const missing = await missingOnNodes(engine, images);
    if (missing.length > 0)
      await step(`loaded into the nodes: ${missing.join(" ")}`, () => loadImages(engine, missing));
    else say(`in every node already: ${images.join(" ")}`);
  });
}

async function push(images: readonly string[]): Promise<void> {
  const repository = process.env["IMAGE_REPOSITORY"];
  if (!repository) {
    throw new Error(
      "CLUSTER=current takes images from a registry that its nodes can reach: set IMAGE_REPOSITORY, " +
        "for example registry.example/team, log in with docker login, and build again.",
    );
  }
  const engine = await ensureEngine();
  for (const image of images) {
    if (!image.startsWith(`${repository}/`))
      throw new Error(`${image} does not belong to IMAGE_REPOSITORY ${repository}`);
    await step(`pushed ${image}`, () => docker(engine, ["push", image]));
  }
}

if (import.meta.main) {
  const images = process.argv.slice(2);
  try {
    if (images.length === 0) throw new Error("name the images: node test/cluster/load.ts IMAGE…");
    await load(images);
  } catch (error) {
    console.error(`\nloading images failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

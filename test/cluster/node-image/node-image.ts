import { existsSync } from "node:fs";
import { docker, type Engine } from "../engine/engine.ts";
import { hasImage, obtainImage } from "../engine/registry.ts";
import { withLock } from "../lock.ts";
import { say } from "../progress.ts";
import { buildNodeImage, ownNodeImage } from "./build.ts";

/**
 * kind's own node image, as kind v0.30.0 pins it: the same Kubernetes minor as our own build, so that a cluster behaves
 * alike everywhere. (1.35 and newer no longer start on machines with cgroup v1.)
 */
const PUBLIC_NODE_IMAGE =
  "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a";

/**
 * The image that nodes are made of, present in the engine: the one `NODE_IMAGE` names; else ours where it has been built
 * already; else kind's public one; else, where that cannot be pulled, ours, built now.
 */
export async function ensureNodeImage(engine: Engine): Promise<string> {
  const wanted = process.env["NODE_IMAGE"];
  if (wanted) {
    say(`node image: ${wanted} (NODE_IMAGE)`);
    return wanted; // kind pulls it when it is not there
  }
  return withLock("node-image", "getting the node image", async () => {
    const own = ownNodeImage();
    if (await hasImage(engine, own)) return own;
    if (await obtainImage(engine, PUBLIC_NODE_IMAGE)) return PUBLIC_NODE_IMAGE;
    if (!existsSync("/usr/bin/apt-get") || process.getuid?.() !== 0) {
      throw new Error(
        `${PUBLIC_NODE_IMAGE} cannot be pulled, and building a node image needs root on Debian. ` +
          "Set NODE_IMAGE to a kind node image that you have.",
      );
    }
    await removeOwnNodeImages(engine);
    return buildNodeImage(engine);
  });
}

/** Removes what earlier sources made, and the half of a build that was killed: a gigabyte each. */
async function removeOwnNodeImages(engine: Engine): Promise<void> {
  const ids = (await docker(engine, ["images", "--quiet", "jobqueue-node"])).trim();
  if (!ids) return;
  await docker(engine, ["rmi", "--force", ...new Set(ids.split("\n"))]).catch(() => {
    // the cluster of another checkout still runs on one, which therefore stays
  });
}

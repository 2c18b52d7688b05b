import { createHash } from "node:crypto";
import { createReadStream, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "./command.ts";

/** An image as `docker load` and `ctr images import` take it. */
export interface ImageContent {
  readonly names: readonly string[];
  /** Paths of tar files, the lowest first. Images of one archive may share them. */
  readonly layers: readonly string[];
  /** What to run and how, as in the image specification: `Entrypoint`, `Env`, `User`, … */
  readonly config: Readonly<Record<string, unknown>>;
}

/** How image specifications call this machine's processor. */
export const ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

/** Writes a tar archive of images into `path`. `directory` is for its parts; hard links, so on the layers' file system. */
export async function writeImageArchive(
  path: string,
  directory: string,
  images: readonly ImageContent[],
): Promise<void> {
  const digests = new Map<string, string>();
  for (const layer of new Set(images.flatMap((image) => image.layers))) {
    const digest = await sha256(layer);
    digests.set(layer, digest);
    mkdirSync(join(directory, digest), { recursive: true });
    linkSync(layer, join(directory, digest, "layer.tar"));
  }
  const manifest = images.map(({ names, layers, config }) => {
    const diffIds = layers.map((layer) => `sha256:${digests.get(layer)}`);
    const text = JSON.stringify({
      architecture: ARCHITECTURE,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: diffIds },
    });
    const file = `${createHash("sha256").update(text).digest("hex")}.json`;
    writeFileSync(join(directory, file), text);
    return { Config: file, RepoTags: names, Layers: layers.map((layer) => `${digests.get(layer)}/layer.tar`) };
  });
  writeFileSync(join(directory, "manifest.json"), JSON.stringify(manifest));
  await run("tar", ["--create", "--file", path, "--directory", directory, "--hard-dereference", "."]);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

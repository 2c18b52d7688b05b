import { copyFileSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../test/cluster/command.ts";
import { type DebianRoot, debianRoot, debianRootKey } from "../test/cluster/debian-root.ts";
import { docker, type Engine } from "../test/cluster/engine/engine.ts";
import { hasImage, obtainImage } from "../test/cluster/engine/registry.ts";
import { writeImageArchive } from "../test/cluster/image-archive.ts";
import { step } from "../test/cluster/progress.ts";
import { withScratch } from "../test/cluster/scratch.ts";

/** The Node image that everybody can pull; `BASE_IMAGE` names another one, or this one by digest. */
const PUBLIC_BASE = "node:24-bookworm-slim";

/** What the product needs: the libraries of the Node binary, authorities of TLS, time zones. No shell. */
const PRODUCT_ROOT: DebianRoot = {
  name: "our images",
  variant: "extract",
  packages: ["libstdc++6", "ca-certificates", "tzdata"],
};

/** What the images of the demo need on top: a language that is not JavaScript, and the shell that initdb starts. */
const DEMO_ROOT: DebianRoot = {
  name: "images of the demo",
  variant: "extract",
  packages: [...PRODUCT_ROOT.packages, "python3", "dash"],
};

/**
 * The image that ours start from, present in the engine: the one `BASE_IMAGE` names; else the public Node image; else,
 * where that cannot be pulled, one made of Debian packages and the Node binary that npm brings.
 */
export async function ensureBaseImage(engine: Engine, demo: boolean): Promise<string> {
  const wanted = process.env["BASE_IMAGE"];
  if (wanted) return wanted;
  const root = demo ? DEMO_ROOT : PRODUCT_ROOT;
  const own = `jobqueue-base:${demo ? "demo" : "product"}-${debianRootKey(root)}-node${process.versions.node}`;
  if (await hasImage(engine, own)) return own;
  if (await obtainImage(engine, PUBLIC_BASE)) return PUBLIC_BASE;
  const rootTar = await debianRoot(root);
  await step(`base image ${own}`, () =>
    withScratch("base-image", async (work) => {
      const node = await nodeLayer(work, rootTar);
      const parts = join(work, "parts");
      mkdirSync(parts);
      const archive = join(work, "image.tar");
      const config = {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Cmd: ["/usr/local/bin/node"],
      };
      await writeImageArchive(archive, parts, [{ names: [own], layers: [rootTar, node], config }]);
      await docker(engine, ["load", "--input", archive]);
    }),
  );
  return own;
}

/** The Node binary, and what the packages' own scripts would have made had they been run. */
async function nodeLayer(work: string, rootTar: string): Promise<string> {
  const layer = join(work, "node");
  for (const directory of ["usr/local/bin", "etc/ssl/certs", "usr/bin"])
    mkdirSync(join(layer, directory), { recursive: true });
  copyFileSync(realpathSync(process.execPath), join(layer, "usr/local/bin/node"));
  const certificates = join(work, "certificates");
  mkdirSync(certificates);
  await run("tar", ["--extract", "--file", rootTar, "--directory", certificates, "./usr/share/ca-certificates"]);
  const files = (await run("find", [certificates, "-name", "*.crt"])).trim().split("\n").toSorted();
  writeFileSync(
    join(layer, "etc/ssl/certs/ca-certificates.crt"),
    files.map((file) => readFileSync(file, "utf8")).join(""),
  );
  if ((await run("tar", ["--list", "--file", rootTar])).includes("/bin/dash\n"))
    symlinkSync("dash", join(layer, "usr/bin/sh"));
  const tar = join(work, "node.tar");
  await run("tar", ["--create", "--file", tar, "--directory", layer, "--numeric-owner", "--owner=0", "--group=0", "."]);
  return tar;
}

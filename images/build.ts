/**
 * `make images`: builds our images with `docker build`, on a machine with Docker or with the engine that the cluster
 * brings, with a registry or without. Prints `name reference` lines.
 *
 *   node images/build.ts                 all
 *   node images/build.ts demo-worker     that one, and what it is made from
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { docker, type Engine, ensureEngine } from "../test/cluster/engine/engine.ts";
import { hasImage } from "../test/cluster/engine/registry.ts";
import { withLock } from "../test/cluster/lock.ts";
import { CLUSTER_NAME } from "../test/cluster/checkout.ts";
import { step } from "../test/cluster/progress.ts";
import { ensureBaseImage } from "./base-image.ts";
import { contentHash, settleTimes } from "./content-hash.ts";
import { demoPostgresContext, demoWorkerContext, productContext } from "./contexts.ts";

/** Our images, in the order in which they can be built. */
export const IMAGES = ["jobqueue-operator", "jobqueue-demo-worker", "jobqueue-demo-postgres"] as const;
export type ImageName = (typeof IMAGES)[number];

/** Where build contexts are put together. */
const contextOf = (name: ImageName): string => join(import.meta.dirname, "../dist/images", name);

/**
 * Builds the images that are asked for and returns their references. A tag is a hash of what is in the image, so an
 * image that is there is up to date, and a manifest that names it changes when it does: pull policy `IfNotPresent`.
 * `IMAGE_REPOSITORY` (`registry.example/team`) goes before the names.
 */
export async function buildImages(names: readonly ImageName[] = IMAGES): Promise<Record<ImageName, string>> {
  return withLock(`${CLUSTER_NAME}-images`, "building images", async () => {
    const engine = await ensureEngine();
    mkdirSync(join(import.meta.dirname, "../dist/images"), { recursive: true });
    const references: Partial<Record<ImageName, string>> = {};
    for (const name of names) references[name] = await BUILDERS[name](engine);
    return references as Record<ImageName, string>;
  });
}

const BUILDERS: Readonly<Record<ImageName, (engine: Engine) => Promise<string>>> = {
  "jobqueue-operator": (engine) => buildProduct(engine, false),
  "jobqueue-demo-worker": async (engine) => {
    const product = await buildProduct(engine, true);
    const context = contextOf("jobqueue-demo-worker");
    await demoWorkerContext(context);
    return build(engine, "jobqueue-demo-worker", context, "demo-worker/Containerfile", { IMAGE: product });
  },
  "jobqueue-demo-postgres": async (engine) => {
    const context = contextOf("jobqueue-demo-postgres");
    await demoPostgresContext(context);
    const base = await ensureBaseImage(engine, true);
    return build(engine, "jobqueue-demo-postgres", context, "demo-postgres/Containerfile", { BASE_IMAGE: base });
  },
};

/** The bundle is made once per run: the images of one run have the same program. */
let productBundled: Promise<void> | undefined;

/** Our image; on the demo's base it is what the demo's workers start from, and the same program. */
async function buildProduct(engine: Engine, demo: boolean): Promise<string> {
  const context = contextOf("jobqueue-operator");
  productBundled ??= productContext(context);
  await productBundled;
  return build(engine, "jobqueue-operator", context, "Containerfile", {
    BASE_IMAGE: await ensureBaseImage(engine, demo),
  });
}

async function build(
  engine: Engine,
  name: ImageName,
  context: string,
  containerfile: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const file = join(import.meta.dirname, containerfile);
  settleTimes(context);
  const hash = contentHash(context, readFileSync(file, "utf8"), JSON.stringify(values));
  const repository = process.env["IMAGE_REPOSITORY"];
  const reference = `${repository ? `${repository.replace(/\/$/, "")}/` : ""}${name}:${hash}`;
  if (await hasImage(engine, reference)) return reference;
  const options = Object.entries(values).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]);
  await step(`image ${reference}`, () =>
    docker(engine, ["build", "--tag", reference, "--file", file, ...options, context]),
  );
  return reference;
}

if (import.meta.main) {
  const asked = process.argv.slice(2).map((name) => (name.startsWith("jobqueue-") ? name : `jobqueue-${name}`));
  const unknown = asked.filter((name) => !(IMAGES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`unknown image ${unknown.join(", ")}; images are ${IMAGES.join(", ")}\n`);
    process.exit(2);
  }
  try {
    const built = await buildImages(asked.length > 0 ? (asked as ImageName[]) : IMAGES);
    for (const [name, reference] of Object.entries(built)) process.stdout.write(`${name} ${reference}\n`);
  } catch (error) {
    process.stderr.write(`\nbuilding images failed: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

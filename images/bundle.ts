/**
 * Makes of the sources what runs in the image: `dist/app/jobqueue.mjs` (the command), the thread and library that it
 * needs beside it, and the migrations.
 *
 *   node images/bundle.ts
 */
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { licencesOf } from "./licences.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * Each file says which program runs it, so that a link to it is a command where there is no shell. CommonJS packages
 * inside ask for Node's own modules with `require`, which an ES module has not.
 */
const BANNER = `#!/usr/local/bin/node
import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

/** Bundles into `directory`, which is made anew: `app/`, `bin/` and `node_modules/`, as they go into the image. */
export async function bundle(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  const app = join(directory, "app");
  const { metafile } = await build({
    entryPoints: {
      jobqueue: join(ROOT, "cli/src/main.ts"),
      // Found beside the bundle by name (worker/src/watchdog/thread-file.ts).
      "watchdog-thread": join(ROOT, "worker/src/watchdog/thread.ts"),
      worker: join(ROOT, "worker/src/index.ts"),
    },
    outdir: app,
    outExtension: { ".js": ".mjs" },
    // What only one subcommand needs is loaded by that one: a worker does not carry the Kubernetes client in memory.
    splitting: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minifySyntax: true,
    minifyWhitespace: true, // names stay, for stack traces
    sourcemap: false,
    legalComments: "none", // the whole licences are beside it
    metafile: true,
    banner: { js: BANNER },
    logLevel: "warning",
    absWorkingDir: ROOT,
  });
  cpSync(join(ROOT, "store/migrations"), join(app, "migrations"), {
    recursive: true,
    filter: (path) => !/\.(ts|md)$/.test(path),
  });
  await bundleDashboard(join(app, "dashboard"));
  writeFileSync(join(app, "THIRD-PARTY-LICENSES.txt"), licencesOf(Object.keys(metafile.inputs), ROOT));
  cpSync(join(ROOT, "LICENSE"), join(app, "LICENSE"));
  linkCommand(directory);
  shareLibrary(directory);
}

/** The dashboard as browsers get it: one module instead of many, and the page that names it. */
async function bundleDashboard(directory: string): Promise<void> {
  const source = join(ROOT, "admin/dashboard");
  await build({
    entryPoints: { main: join(source, "main.ts") },
    outdir: directory,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    legalComments: "none", // nothing in it is others' work
    logLevel: "warning",
    absWorkingDir: ROOT,
  });
  for (const file of ["style.css", "icon.svg"]) cpSync(join(source, file), join(directory, file));
  const page = readFileSync(join(source, "index.html"), "utf8");
  writeFileSync(join(directory, "index.html"), page.replace("dashboard/main.ts", "dashboard/main.js"));
}

/** `jobqueue` on the PATH. */
function linkCommand(directory: string): void {
  chmodSync(join(directory, "app/jobqueue.mjs"), 0o755);
  mkdirSync(join(directory, "bin"));
  symlinkSync("/app/jobqueue.mjs", join(directory, "bin/jobqueue"));
}

/** The bundle's own copy of `@jobqueue/worker`, so that `defineHandler` of a handler's module is the worker's. */
function shareLibrary(directory: string): void {
  const library = join(directory, "node_modules/@jobqueue/worker");
  mkdirSync(library, { recursive: true });
  writeFileSync(
    join(library, "package.json"),
    `${JSON.stringify({ name: "@jobqueue/worker", type: "module", exports: "./index.mjs" })}\n`,
  );
  writeFileSync(join(library, "index.mjs"), `export * from "/app/worker.mjs";\n`);
}

if (import.meta.main) {
  await bundle(join(ROOT, "dist/image"));
  process.stdout.write("dist/image\n");
}

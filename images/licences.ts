import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The licence texts of every npm package whose files are in a bundle, as their licences ask of whoever distributes it.
 * `inputs` are paths as esbuild's metafile names them. Throws for a package without a licence text.
 */
export function licencesOf(inputs: readonly string[], root: string): string {
  const packages = new Set(inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...packages]
    .toSorted()
    .map((directory) => {
      const manifest = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8")) as Manifest;
      const [file] = globSync("{LICENSE,LICENCE,license,License,COPYING}*", { cwd: join(root, directory) });
      const readme = join(root, directory, "README.md");
      // A few packages have it in their README, under a heading of its own.
      const text =
        file !== undefined
          ? readFileSync(join(root, directory, file), "utf8")
          : existsSync(readme) && (/^#+ licen[cs]e[\s\S]*/im.exec(readFileSync(readme, "utf8"))?.[0] ?? "");
      if (!text && !manifest.license) throw new Error(`${manifest.name} is in the bundle and has no licence`);
      return `${manifest.name} ${manifest.version} (${manifest.license ?? "see below"})\n\n${text || "No further text comes with it."}`;
    })
    .join(`\n\n${"=".repeat(80)}\n\n`);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

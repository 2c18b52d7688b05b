import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");

/**
 * The end of every generator: writes the files (path from the root of the repository to text) that differ; called with
 * `--check` it names them instead, and the process exits with 1 when there is any.
 */
export function writeOrCheck(files: ReadonlyMap<string, string>): void {
  let stale = 0;
  for (const [file, text] of files) {
    const path = join(root, file);
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
    if (process.argv.includes("--check")) {
      process.stderr.write(`${file} is not up to date; run "make generate"\n`);
      stale += 1;
    } else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      process.stdout.write(`wrote ${file}\n`);
    }
  }
  process.exitCode = stale > 0 ? 1 : 0;
}

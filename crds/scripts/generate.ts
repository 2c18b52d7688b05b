/**
 * Makes everything that follows from crds/src/schema/: the two CRDs, their TypeScript types and the reference.
 *
 *   node crds/scripts/generate.ts           writes
 *   node crds/scripts/generate.ts --check   compares, and fails when something committed is not up to date
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { generateAll } from "./outputs.ts";

const root = join(import.meta.dirname, "../..");
const check = process.argv.includes("--check");

let stale = 0;
for (const [file, text] of await generateAll()) {
  const path = join(root, file);
  if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
  if (check) {
    process.stderr.write(`${file} is not up to date; run "make generate"\n`);
    stale += 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    process.stdout.write(`wrote ${file}\n`);
  }
}
process.exitCode = stale > 0 ? 1 : 0;

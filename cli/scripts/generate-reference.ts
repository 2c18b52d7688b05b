/**
 * Makes docs/reference/cli.md from the table of verbs.
 *
 *   node cli/scripts/generate-reference.ts           writes
 *   node cli/scripts/generate-reference.ts --check   compares, and fails when the committed one is not up to date
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { renderReference } from "../src/reference.ts";
import { VERBS } from "../src/verbs.ts";

const file = "docs/reference/cli.md";
const path = join(import.meta.dirname, "../..", file);
const text = await format(await renderReference(VERBS), { parser: "markdown", printWidth: 120 });
const committed = existsSync(path) ? readFileSync(path, "utf8") : "";

if (committed === text) {
  process.exitCode = 0;
} else if (process.argv.includes("--check")) {
  process.stderr.write(`${file} is not up to date; run "make generate"\n`);
  process.exitCode = 1;
} else {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  process.stdout.write(`wrote ${file}\n`);
}

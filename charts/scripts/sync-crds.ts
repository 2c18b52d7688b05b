/**
 * Makes what the chart has from elsewhere: its CRD templates from `crds/*.yaml`, and the table of values in its README
 * from the comments in values.yaml.
 *
 *   node charts/scripts/sync-crds.ts           writes
 *   node charts/scripts/sync-crds.ts --check   compares, and fails when something committed is not up to date
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { crdTemplate } from "./crd-template.ts";
import { withValuesTable } from "./values-table.ts";

const root = join(import.meta.dirname, "../..");
const chart = "charts/jobqueue-operator";
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const outputs = new Map<string, string>();
for (const plural of ["jobstores", "jobqueues"]) {
  const source = `crds/${plural}.yaml`;
  outputs.set(`${chart}/templates/crds/${plural}.yaml`, crdTemplate(source, read(source)));
}
outputs.set(`${chart}/README.md`, await withValuesTable(read(`${chart}/README.md`), read(`${chart}/values.yaml`)));

const check = process.argv.includes("--check");
let stale = 0;
for (const [file, text] of outputs) {
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

/**
 * Makes what the chart has from elsewhere: its CRD templates from `crds/*.yaml`, and the table of values in its README
 * from the comments in values.yaml.
 *
 *   node charts/scripts/sync-crds.ts           writes
 *   node charts/scripts/sync-crds.ts --check   compares, and fails when something committed is not up to date
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeOrCheck } from "../../test/generated-files.ts";
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

writeOrCheck(outputs);

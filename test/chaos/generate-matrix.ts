/**
 * Makes docs/reference/fault-matrix.md from matrix.ts.
 *
 *   node test/chaos/generate-matrix.ts           writes
 *   node test/chaos/generate-matrix.ts --check   compares, and fails when the committed one is not up to date
 */
import { format } from "prettier";
import { writeOrCheck } from "../generated-files.ts";
import { FAMILIES } from "./faults/all-faults.ts";
import { OPERATOR_FAMILIES } from "./operator/operator-families.ts";
import { HUNG_FAULTS } from "./operator/pod-faults.ts";
import { FAULT_FAMILIES, FAULT_MATRIX } from "./matrix.ts";
import type { MatrixRow } from "./matrix-row.ts";

const applied = new Set(FAMILIES.flat().map(({ id }) => id));
const withOperators = new Set([...OPERATOR_FAMILIES.flat(), ...HUNG_FAULTS].map(({ id }) => id));

function chaosOf(id: string): string[] {
  if (applied.has(id)) return ["`make chaos`"];
  return withOperators.has(id) ? ["`make chaos FAULTS=operator`"] : [];
}

function line({ id, fault, expected, tests, reason }: MatrixRow): string {
  const files = [...new Set(tests.map(({ file }) => file))].map((file) => `[\`${file}\`](../../${file})`);
  const how = [...files, ...chaosOf(id), ...(reason === undefined ? [] : [reason])];
  return `| ${id} | ${fault} | ${expected} | ${how.join("; ")} |`;
}

const families = Object.entries(FAULT_FAMILIES).map(([letter, name]) => {
  const rows = FAULT_MATRIX.filter(({ id }) => id.startsWith(letter));
  return `## ${name} (${letter})\n\n| id | fault | what must come of it | how that is known |\n|---|---|---|---|\n${rows.map(line).join("\n")}\n`;
});
const shown = FAULT_MATRIX.filter(({ tests }) => tests.length > 0).length;
const text = `# Faults

What the product was made to survive, and how that is known. ${shown} of ${FAULT_MATRIX.length} faults have tests; the others have
a reason. Faults marked \`make chaos\` are also applied at random, in pairs, under load, with a history checker at the end; those
marked \`FAULTS=operator\` (with most of the others) in rounds with an API server, two operators and pods.

${families.join("\n")}`;
const file = "docs/reference/fault-matrix.md";
writeOrCheck(new Map([[file, await format(text, { parser: "markdown", printWidth: 120 })]]));

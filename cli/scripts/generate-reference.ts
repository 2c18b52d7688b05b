/**
 * Makes docs/reference/cli.md from the table of verbs.
 *
 *   node cli/scripts/generate-reference.ts           writes
 *   node cli/scripts/generate-reference.ts --check   compares, and fails when the committed one is not up to date
 */
import { format } from "prettier";
import { writeOrCheck } from "../../test/generated-files.ts";
import { renderReference } from "../src/reference.ts";
import { VERB_GROUPS } from "../src/verbs.ts";

const file = "docs/reference/cli.md";
const text = await format(await renderReference(VERB_GROUPS), { parser: "markdown", printWidth: 120 });
writeOrCheck(new Map([[file, text]]));

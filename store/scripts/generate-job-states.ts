/**
 * Makes docs/reference/job-states.md from the table of states.
 *
 *   node store/scripts/generate-job-states.ts           writes
 *   node store/scripts/generate-job-states.ts --check   compares, and fails when the committed one is not up to date
 */
import { format } from "prettier";
import { writeOrCheck } from "../../test/generated-files.ts";
import { renderJobStates } from "../src/job-states-page.ts";

const text = await format(renderJobStates(), { parser: "markdown", printWidth: 120 });
writeOrCheck(new Map([["docs/reference/job-states.md", text]]));

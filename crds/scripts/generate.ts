/**
 * Makes everything that follows from crds/src/schema/: the two CRDs, their TypeScript types and the reference.
 *
 *   node crds/scripts/generate.ts           writes
 *   node crds/scripts/generate.ts --check   compares, and fails when something committed is not up to date
 */
import { writeOrCheck } from "../../test/generated-files.ts";
import { generateAll } from "./outputs.ts";

writeOrCheck(await generateAll());

/**
 * Makes docs/reference/conditions.md from the closed tables of conditions, events and annotations.
 *
 *   node operator/scripts/generate-reference.ts           writes
 *   node operator/scripts/generate-reference.ts --check   compares, and fails when the committed one is not up to date
 */
import { writeOrCheck } from "../../test/generated-files.ts";
import { conditionsReference } from "./reference.ts";

writeOrCheck(new Map([["docs/reference/conditions.md", await conditionsReference()]]));

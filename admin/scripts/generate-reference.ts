/**
 * Makes docs/reference/openapi.json and docs/reference/admin-api.md from the table of routes.
 *
 *   node admin/scripts/generate-reference.ts           writes
 *   node admin/scripts/generate-reference.ts --check   compares, and fails when a committed one is not up to date
 */
import { format } from "prettier";
import { writeOrCheck } from "../../test/generated-files.ts";
import { openApiDocument } from "../src/openapi/document.ts";
import { renderReference } from "../src/openapi/reference.ts";
import { ROUTES } from "../src/routes.ts";
import { VERSION } from "../src/version.ts";

const json = JSON.stringify(openApiDocument(ROUTES, VERSION));
writeOrCheck(
  new Map([
    ["docs/reference/openapi.json", await format(json, { parser: "json", printWidth: 120 })],
    ["docs/reference/admin-api.md", await format(renderReference(ROUTES), { parser: "markdown", printWidth: 120 })],
  ]),
);

import { type ApiKey, listApiKeys } from "@jobqueue/store";
import { withStore } from "../connect/open-store.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import type { RunVerb } from "../verb.ts";

function statusOf(key: ApiKey): string {
  if (key.revokedAt) return "revoked";
  return key.isValid ? "valid" : "expired";
}

const COLUMNS: readonly Column<ApiKey>[] = [
  { title: "NAME", value: (key) => key.name },
  { title: "STATUS", value: statusOf },
  { title: "EXPIRES", value: (key) => key.expiresAt?.toISOString() ?? "never" },
  { title: "LAST USED", value: (key) => key.lastUsedAt?.toISOString() ?? "never" },
  { title: "BY", value: (key) => key.createdBy },
  { title: "SCOPES", flexible: true, value: (key) => key.scopes.join(",") },
];

/** `jobqueue api-key list`. */
export const run: RunVerb = async (args, terminal) => {
  const keys = await withStore(args, terminal, async ({ database }) => listApiKeys(database, { all: args.on("all") }));
  printResult(args, terminal, {
    value: keys,
    names: keys.map(({ name }) => name),
    text: () =>
      keys.length === 0
        ? "There is no key; `jobqueue api-key create NAME --scope viewer` makes one."
        : renderTable(COLUMNS, keys, terminal),
  });
  return 0;
};

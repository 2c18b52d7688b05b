import { listRoleGrants, type RoleGrant } from "@jobqueue/store";
import { withStore } from "../connect/open-store.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import type { RunVerb } from "../verb.ts";

const COLUMNS: readonly Column<RoleGrant>[] = [
  { title: "USER", flexible: true, value: (grant) => grant.grantee },
  { title: "ROLE", value: (grant) => grant.role },
  { title: "SINCE", value: (grant) => grant.since.toISOString() },
];

/** `jobqueue roles`. */
export const run: RunVerb = async (args, terminal) => {
  const grants = await withStore(args, terminal, async ({ database }) => listRoleGrants(database));
  printResult(args, terminal, {
    value: grants,
    names: grants.map(({ grantee, role }) => `${grantee}/${role}`),
    text: () =>
      grants.length === 0
        ? "Only the owner of the store may do anything; `jobqueue grant ROLE USER` lets others in."
        : renderTable(COLUMNS, grants, terminal),
  });
  return 0;
};

import { grantRole, revokeRole, type StoreRole } from "@jobqueue/store";
import { withStore } from "./connect/open-store.ts";
import { usageFailure } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { printResult } from "./output/result.ts";
import { STORE_ROLES } from "./table/access.ts";
import type { RunVerb } from "./verb.ts";

function parseRole(text: string): StoreRole {
  const role = STORE_ROLES.find((candidate) => candidate === text);
  if (role) return role;
  const near = nearest(text, STORE_ROLES);
  throw usageFailure(
    `'${text}' is no role: it is one of ${STORE_ROLES.join(", ")}`,
    near === undefined ? "`jobqueue help grant` says what each may do." : `Did you mean ${near}?`,
  );
}

/** The verb that grants a role, or takes it away. */
export function changeRole(granted: boolean): RunVerb {
  return async (args, terminal) => {
    const role = parseRole(args.positional("ROLE"));
    const user = args.positional("USER");
    const changed = await withStore(args, terminal, async ({ database }) =>
      granted ? grantRole(database, role, user) : revokeRole(database, role, user),
    );
    printResult(args, terminal, {
      value: { role, user, granted, changed },
      names: [user],
      text: () => {
        if (granted) return `User ${user} ${changed ? "has" : "had"} the role ${role}${changed ? "" : " already"}.`;
        return changed ? `User ${user} no longer has the role ${role}.` : `User ${user} did not have the role ${role}.`;
      },
    });
    return 0;
  };
}

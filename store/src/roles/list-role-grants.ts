import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import type { StoreRole } from "./grant-role.ts";

/** A role that a user of the database has. */
export interface RoleGrant {
  readonly grantee: string;
  readonly role: StoreRole;
  readonly since: Date;
}

/** Lists which users of the database have which roles, by user and role. */
export async function listRoleGrants(session: Session): Promise<RoleGrant[]> {
  return session.query<RoleGrant>(
    `select grantee, role, since from ${quoteIdentifier(session.schema)}.role_grants order by grantee, role`,
  );
}

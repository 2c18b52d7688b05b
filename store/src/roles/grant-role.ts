import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";

/** A named set of rights; the comment of the SQL function `grant_role` says what each may do. */
export type StoreRole = "producer" | "worker" | "operator" | "reader" | "admin";

/** Grants a role to a user of the database, who must exist. Only the owner of the store may. Returns whether it was new. */
export async function grantRole(session: Session, role: StoreRole, grantee: string): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.grant_role($1, $2) as changed`,
    [role, grantee],
  );
  return rows[0]?.changed ?? false;
}

/** Takes a role from a user of the database; what other roles give it stays. Returns whether it had the role. */
export async function revokeRole(session: Session, role: StoreRole, grantee: string): Promise<boolean> {
  const rows = await session.query<{ changed: boolean }>(
    `select ${quoteIdentifier(session.schema)}.revoke_role($1, $2) as changed`,
    [role, grantee],
  );
  return rows[0]?.changed ?? false;
}

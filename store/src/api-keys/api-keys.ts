import { quoteIdentifier } from "../connection/identifier.ts";
import { toInstantText } from "../instant.ts";
import type { Act } from "../jobs/act-on-job.ts";
import type { Session } from "../session.ts";

/** A key of the admin API, as the store knows it: never the key, never its hash. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** What it may do: words such as `jobs:read`, to which the admin API gives their meaning. */
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly createdBy: string;
  /** When it stops working; null: not by itself. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** When it was last used, to the minute. */
  readonly lastUsedAt: Date | null;
  /** Neither revoked nor expired. */
  readonly isValid: boolean;
}

/** A key to be made known. */
export interface NewApiKey {
  /** Who will use it; no two valid keys share a name. */
  readonly name: string;
  /** SHA-256 of the key. */
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  readonly expiresAt?: Date | string | undefined;
}

/** Makes a key of the admin API known; returns its id. One audit event (G19). */
export async function createApiKey(session: Session, key: NewApiKey, act: Act): Promise<string> {
  const [row] = await session.query<{ id: string }>(
    `select ${quoteIdentifier(session.schema)}.create_api_key($1, $2, $3, $4, $5, $6) as id`,
    [
      key.name,
      key.hash,
      key.scopes,
      act.actor,
      act.reason,
      key.expiresAt === undefined ? null : toInstantText(key.expiresAt, "expiresAt"),
    ],
  );
  if (row === undefined) throw new TypeError("create_api_key gave no answer");
  return row.id;
}

/** Revokes a key: it opens nothing from the commit on. Returns whether there was one; only then an audit event (G19). */
export async function revokeApiKey(session: Session, name: string, act: Act): Promise<boolean> {
  const [row] = await session.query<{ revoked: boolean }>(
    `select ${quoteIdentifier(session.schema)}.revoke_api_key($1, $2, $3) as revoked`,
    [name, act.actor, act.reason],
  );
  return row?.revoked ?? false;
}

/** What the key with this SHA-256 hash may do; undefined when it is unknown, revoked or expired. */
export async function useApiKey(
  session: Session,
  hash: Buffer,
): Promise<Pick<ApiKey, "id" | "name" | "scopes"> | undefined> {
  const [row] = await session.query<Pick<ApiKey, "id" | "name" | "scopes">>(
    `select id, name, scopes from ${quoteIdentifier(session.schema)}.use_api_key($1)`,
    [hash],
  );
  return row;
}

/** Lists keys by name: those that work, or with `all` also those that were revoked or have expired. */
export async function listApiKeys(
  session: Session,
  { all = false }: { readonly all?: boolean } = {},
): Promise<ApiKey[]> {
  return session.query<ApiKey>(
    `select id, name, scopes, created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt",
       revoked_at as "revokedAt", last_used_at as "lastUsedAt", is_valid as "isValid"
     from ${quoteIdentifier(session.schema)}.v_api_keys where $1 or is_valid order by name, id`,
    [all],
  );
}

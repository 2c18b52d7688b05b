import { quoteIdentifier } from "../connection/identifier.ts";
import type { Session } from "../session.ts";
import { readMigrations } from "./migration-files.ts";

/** Version of the schema that this code needs, and makes. */
export const SCHEMA_VERSION: number = readMigrations().length;

/** Version of the store's schema; `undefined` when it is not installed. */
export async function schemaVersion(session: Session): Promise<number | undefined> {
  const table = `${quoteIdentifier(session.schema)}.migrations`;
  const [found] = await session.query<{ installed: boolean }>("select to_regclass($1) is not null as installed", [
    table,
  ]);
  if (!found?.installed) return undefined;
  const [row] = await session.query<{ version: number | null }>(`select max(version)::int as version from ${table}`);
  return row?.version ?? undefined;
}

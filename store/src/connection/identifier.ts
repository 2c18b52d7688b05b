import { StoreError } from "../errors.ts";

/** Names a schema may have; the same rule as `JobStore.spec.schema`. */
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const RESERVED_SCHEMAS = new Set(["public", "information_schema"]);

/** Quotes a name for SQL. The only place where a name becomes part of a statement; everything else is bound. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns the name of a schema when it may hold a store, and says what is wrong with it otherwise. */
export function sessionSchema(name: string): string {
  if (!SCHEMA_NAME.test(name) || name.startsWith("pg_") || RESERVED_SCHEMAS.has(name)) {
    throw new StoreError(
      `${JSON.stringify(name)} cannot be the schema of a store: write lower-case letters, digits and "_", at most 63, ` +
        `not starting with a digit or "pg_", and not "public"; for example jobqueue`,
      { code: "invalid_settings", retry: "never" },
    );
  }
  return name;
}

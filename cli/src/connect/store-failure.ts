import { StoreError, type StoreErrorCode } from "@jobqueue/store";
import type { ExitName } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

/** How the command ends for each thing that can go wrong with the store. */
const EXITS: Readonly<Record<StoreErrorCode, ExitName>> = {
  connection_lost: "storeUnreachable",
  access_denied: "storeUnreachable",
  overloaded: "storeUnreachable",
  not_primary: "storeUnreachable",
  unsupported_server: "storeUnreachable",
  not_installed: "schemaMismatch",
  schema_newer: "schemaMismatch",
  invalid_input: "usage",
  invalid_settings: "usage",
  lease_lapsed: "failed",
  wrong_isolation: "failed",
  stale_term: "failed",
  timeout: "failed",
  conflict: "failed",
  internal: "failed",
};

/** SQLSTATEs that say less, or something else, than their class. */
const EXITS_BY_SQLSTATE: Readonly<Record<string, ExitName>> = {
  "42501": "failed", // the user is let in, and lacks one right
  "3D000": "storeUnreachable", // no such database: migrating would not help
};

/** Codes after which the sentence should say which store it was. */
const ABOUT_THE_SERVER: ReadonlySet<ExitName> = new Set(["storeUnreachable", "schemaMismatch"]);

/** What the store threw, as a failure that names the store and says what to do. `where` is host, port, database. */
export function storeFailure(error: unknown, where: string | undefined, remedy?: string): unknown {
  if (!(error instanceof StoreError)) return error;
  const exit = EXITS_BY_SQLSTATE[error.sqlstate ?? ""] ?? EXITS[error.code];
  const message =
    where !== undefined && ABOUT_THE_SERVER.has(exit) ? `the store at ${where}: ${error.message}` : error.message;
  return new Failure(exit, message, { cause: error, ...(exit === "storeUnreachable" ? { remedy } : {}) });
}

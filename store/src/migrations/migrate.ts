import type { Database } from "../connection/database.ts";
import { quoteIdentifier } from "../connection/identifier.ts";
import { StoreError } from "../errors.ts";
import type { Session } from "../session.ts";
import { type Migration, readMigrations } from "./migration-files.ts";
import { schemaVersion } from "./schema-version.ts";

/** Oldest server that can hold a store, as `server_version_num`. */
const MIN_SERVER = 140_000;
/** A step may wait for another migrator and rewrite a table; nothing else takes that long. */
const STEP_TIMEOUT_MS = 600_000;

/** Which version a migration found and which it left. 0: there was no store. */
export interface MigrationResult {
  readonly from: number;
  readonly to: number;
}

/**
 * Brings a store to the newest version this code knows, one transaction per step. Several migrators at once take
 * turns, step by step; one that is killed leaves whole steps behind, and the next goes on from there. Rejects with
 * `schema_newer` when the store is ahead of this code, and with `unsupported_server` when the server cannot hold one.
 */
export async function migrate(
  database: Pick<Database, "transaction">,
  options: { readonly onStep?: (step: Pick<Migration, "version" | "name">) => void } = {},
): Promise<MigrationResult> {
  const migrations = readMigrations();
  let from: number | undefined;
  for (;;) {
    const { before, applied } = await database.transaction(async (session) => step(session, migrations), {
      timeoutMs: STEP_TIMEOUT_MS,
    });
    from ??= before;
    if (!applied) return { from, to: before };
    options.onStep?.(applied);
  }
}

async function step(
  session: Session,
  migrations: readonly Migration[],
): Promise<{ before: number; applied: Migration | undefined }> {
  const schema = quoteIdentifier(session.schema);
  // The lock is taken by a statement of its own, so that the next one sees what the lock's last holder committed.
  await session.query("select pg_advisory_xact_lock(hashtextextended('jobqueue migrate ' || $1, 0))", [session.schema]);
  const before = (await schemaVersion(session)) ?? 0;
  if (before > migrations.length) throw await newerSchema(session, before, migrations.length);
  const next = migrations[before];
  if (!next) return { before, applied: undefined };
  if (before === 0) await prepare(session);
  // A step must never queue behind a long transaction while everybody else queues behind the step.
  await session.query("select set_config('lock_timeout', '10s', true), set_config('search_path', $1, true)", [
    `${schema}, pg_temp`,
  ]);
  await session.query(next.sql.replaceAll("{{schema}}", () => schema));
  await session.query("insert into migrations (version, name) values ($1, $2)", [next.version, next.name]);
  // Functions are executable by everybody unless somebody says otherwise: said here, so that no step can forget it.
  await session.query(`revoke all on all functions in schema ${schema} from public`);
  await session.query(`revoke all on all tables in schema ${schema} from public`);
  await session.query(`revoke all on all sequences in schema ${schema} from public`);
  return { before, applied: next };
}

async function prepare(session: Session): Promise<void> {
  const [server] = await session.query<{ number: number; version: string; encoding: string; present: boolean }>(
    `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
       current_setting('server_encoding') as encoding,
       exists (select from pg_catalog.pg_namespace where nspname = $1) as present`,
    [session.schema],
  );
  if (!server) throw new TypeError("the server said nothing about itself");
  if (server.number < MIN_SERVER) {
    throw unsupported(`PostgreSQL ${server.version} is too old for a store: use 14 or newer`);
  }
  if (server.encoding !== "UTF8") {
    throw unsupported(`the database's encoding is ${server.encoding}: make one with encoding UTF8 for the store`);
  }
  const schema = quoteIdentifier(session.schema);
  // Not "if not exists": that asks for the right to create schemas even where there is nothing to create.
  if (!server.present) await session.query(`create schema ${schema}`);
  await session.query(`revoke all on schema ${schema} from public`);
  await session.query(
    `create table if not exists ${schema}.migrations (
       version int primary key, name text not null, applied_at timestamptz not null default clock_timestamp(),
       applied_by text not null default session_user)`,
  );
  await session.query(`comment on table ${schema}.migrations is 'Steps of the schema that this store has.'`);
}

function unsupported(message: string): StoreError {
  return new StoreError(message, { code: "unsupported_server", retry: "never" });
}

async function newerSchema(session: Session, found: number, known: number): Promise<StoreError> {
  const [last] = await session.query<{ name: string; at: string }>(
    `select name, applied_at::text as at from ${quoteIdentifier(session.schema)}.migrations order by version desc limit 1`,
  );
  return new StoreError(
    `the store in schema ${session.schema} has version ${found} (${last?.name}, since ${last?.at}), but this program ` +
      `knows only version ${known}: use the program that migrated it, or a newer one; a store is never taken back`,
    { code: "schema_newer", retry: "never" },
  );
}

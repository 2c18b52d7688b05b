import { createHash, randomBytes } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Database, migrate, parseStoreUrl, quoteIdentifier } from "@jobqueue/store";
import { describe, inject } from "vitest";

/** A database that belongs to one test file. */
export interface TestDatabase {
  readonly url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/** A server that tests run on. */
export interface PostgresUnderTest {
  /** "PostgreSQL 15", or DATABASE_URL when the user gave one. */
  readonly name: string;
  /** URL of its maintenance database, by a user who may create databases. */
  readonly adminUrl: string;
}

/** Runs a suite once per server, each in a `describe` of the server's name. */
export function forEachPostgres(suite: (postgres: PostgresUnderTest) => void): void {
  for (const [name, adminUrl] of Object.entries(inject("postgres"))) {
    // oxlint-disable-next-line vitest/valid-title -- it is a string, but not a literal
    describe(name, () => {
      suite({ name, adminUrl });
    });
  }
}

/** Runs a suite once, on the newest server: for what the version of the server has no part in. */
export function forNewestPostgres(suite: (postgres: PostgresUnderTest) => void): void {
  const [name = "", adminUrl = ""] = Object.entries(inject("postgres")).at(-1) ?? [];
  suite({ name, adminUrl });
}

/**
 * Creates a database: a copy of a migrated one, which takes a tenth of a second, or an empty one with `migrated: false`.
 * The store is in schema `jobqueue`.
 */
export async function createTestDatabase(
  adminUrl: string,
  options: { readonly migrated?: boolean } = {},
): Promise<TestDatabase> {
  const name = `jobqueue_test_${randomBytes(8).toString("hex")}`;
  await asAdmin(adminUrl, async (admin) => {
    const template = options.migrated === false ? "template0" : await ensureTemplate(admin, adminUrl);
    await admin.query(`create database ${quoteIdentifier(name)} template ${quoteIdentifier(template)}`);
  });
  return {
    url: databaseUrl(adminUrl, name),
    drop: async () => {
      await asAdmin(adminUrl, async (admin) => {
        await admin.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
      });
    },
  };
}

/** Written on a template as its comment when it is complete; a run that was killed leaves one without. */
const COMPLETE = "complete";

/** The migrated template, made by whoever comes first. Its name says which migrations it has. */
async function ensureTemplate(admin: Database, adminUrl: string): Promise<string> {
  const name = `jobqueue_template_${migrationsHash()}`;
  if (await isComplete(admin, name)) return name;
  // One connection, so that the lock, which belongs to a session, is held by the statements in between.
  await admin.query("select pg_advisory_lock(7001, 1)");
  try {
    if (await isComplete(admin, name)) return name;
    await admin.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
    await admin.query(`create database ${quoteIdentifier(name)} template template0`);
    const database = new Database({
      connection: parseStoreUrl(databaseUrl(adminUrl, name)),
      applicationName: "test template",
      poolSize: 1,
    });
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
    await admin.query(`comment on database ${quoteIdentifier(name)} is '${COMPLETE}'`);
    return name;
  } finally {
    await admin.query("select pg_advisory_unlock(7001, 1)");
  }
}

async function isComplete(admin: Database, name: string): Promise<boolean> {
  const rows = await admin.query<{ complete: boolean }>(
    "select shobj_description(oid, 'pg_database') = $2 as complete from pg_database where datname = $1",
    [name, COMPLETE],
  );
  return rows[0]?.complete === true;
}

function migrationsHash(): string {
  const directory = join(import.meta.dirname, "../../../store/migrations");
  const hash = createHash("sha256");
  for (const file of globSync("*.sql", { cwd: directory }).toSorted()) {
    hash.update(file).update(readFileSync(join(directory, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function asAdmin<Result>(adminUrl: string, work: (admin: Database) => Promise<Result>): Promise<Result> {
  const admin = new Database({
    connection: parseStoreUrl(adminUrl),
    applicationName: "test admin",
    poolSize: 1,
    statementTimeoutMs: 60_000,
  });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase, forEachPostgres, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { serverFacts } from "../server-facts.ts";
import { migrate } from "./migrate.ts";
import { readMigrations } from "./migration-files.ts";
import { SCHEMA_VERSION, schemaVersion } from "./schema-version.ts";

const newest = readMigrations().length;

forEachPostgres(({ adminUrl }) => {
  let empty: TestDatabase;
  let databases: Database[];
  beforeEach(async () => {
    empty = await createTestDatabase(adminUrl, { migrated: false });
    databases = [];
  });
  afterEach(async () => {
    await Promise.all(databases.map(async (database) => database.close()));
    await empty.drop();
  });

  function connect(schema = "jobqueue", user?: string): Database {
    const url = new URL(empty.url);
    if (user !== undefined) url.username = user;
    const database = new Database({ connection: parseStoreUrl(url.href), schema, applicationName: "migrate test" });
    databases.push(database);
    return database;
  }

  it("installs a store step by step, and does nothing the second time", async () => {
    const database = connect();
    expect(await schemaVersion(database)).toBeUndefined();
    const steps: number[] = [];
    const onStep = ({ version }: { version: number }) => steps.push(version);
    expect(await migrate(database, { onStep })).toEqual({ from: 0, to: newest });
    expect(steps).toEqual(Array.from({ length: newest }, (_, index) => index + 1));
    expect(await schemaVersion(database)).toBe(SCHEMA_VERSION);
    expect(await migrate(database, { onStep })).toEqual({ from: newest, to: newest });
    expect(steps).toHaveLength(newest);
  });

  it("before it has run, everything says what to do", async () => {
    const refused = enqueue(connect(), { queue: "q", kind: "k" });
    await expect(refused).rejects.toMatchObject({ code: "not_installed", retry: "never" });
    await expect(refused).rejects.toThrow("run `jobqueue migrate`");
  });

  it("P15: two migrators at once take turns: every step is applied once", async () => {
    const steps: number[] = [];
    const onStep = ({ version }: { version: number }) => steps.push(version);
    const results = await Promise.all(
      [connect(), connect(), connect()].map(async (database) => migrate(database, { onStep })),
    );
    expect(results.map((result) => result.to)).toEqual([newest, newest, newest]);
    expect(steps.toSorted((a, b) => a - b)).toEqual(Array.from({ length: newest }, (_, index) => index + 1));
  });

  it("a migrator killed in the middle of a step leaves whole steps; the next one goes on from there", async () => {
    const [doomed, other] = [connect(), connect()];
    let killed = false;
    const kill = async () => {
      killed = true;
      await other.query(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    };
    // Dies inside the transaction of step 4, when its statements have run and nothing is committed.
    const dying: Pick<Database, "transaction"> = {
      transaction: async (work, options) =>
        doomed.transaction(async (session) => {
          const result = await work(session);
          if ((result as { applied?: { version: number } }).applied?.version === 4) await kill();
          return result;
        }, options),
    };
    await expect(migrate(dying)).rejects.toMatchObject({ code: "connection_lost" });
    expect(killed).toBe(true);
    expect(await schemaVersion(other)).toBe(3);
    expect(
      await other.query("select from pg_proc where proname = 'claim' and pronamespace = 'jobqueue'::regnamespace"),
    ).toEqual([]);
    expect(await migrate(doomed)).toEqual({ from: 3, to: newest });
    expect((await enqueue(other, { queue: "q", kind: "k" })).outcome).toBe("inserted");
  });

  it("P15: a store that is newer than this code is refused in words, and left as it is", async () => {
    const database = connect();
    await migrate(database);
    await database.query("insert into jobqueue.migrations (version, name) values ($1, 'from-the-future')", [
      newest + 1,
    ]);
    const refused = migrate(database);
    await expect(refused).rejects.toMatchObject({ code: "schema_newer", retry: "never" });
    await expect(refused).rejects.toThrow(
      new RegExp(
        `schema jobqueue has version ${newest + 1} \\(from-the-future, since .*knows only version ${newest}: use the program`,
      ),
    );
    expect(await schemaVersion(database)).toBe(newest + 1);
  });

  it("several stores live side by side in one database, each in its schema", async () => {
    const [one, two] = [connect("one"), connect("two_2")];
    await migrate(one);
    await migrate(two);
    await enqueue(one, { queue: "q", kind: "k" });
    expect(await one.query("select from one.jobs")).toHaveLength(1);
    expect(await two.query("select from two_2.jobs")).toEqual([]);
    const strays = await one.query("select relname from pg_class where relnamespace = 'public'::regnamespace");
    expect(strays).toEqual([]);
  });

  it("a migrator needs no right on the database when the schema is there and his", async () => {
    const role = `migrator_${crypto.randomUUID().slice(0, 8)}`;
    const admin = connect();
    await admin.query(`create role ${role} login`);
    await admin.query(`create schema jobqueue authorization ${role}`);
    try {
      expect(await migrate(connect("jobqueue", role))).toEqual({ from: 0, to: newest });
    } finally {
      await admin.query(`drop owned by ${role} cascade`);
      await admin.query(`drop role ${role}`);
    }
  });

  it("a database that is not UTF8 is refused", async () => {
    const database = connect();
    const name = `${new URL(empty.url).pathname.slice(1)}_latin1`;
    await database.query(`create database ${name} template template0 encoding 'LATIN1' locale 'C'`);
    const latin1 = new Database({
      connection: { ...parseStoreUrl(empty.url), database: name },
      applicationName: "migrate test",
    });
    try {
      const refused = migrate(latin1);
      await expect(refused).rejects.toMatchObject({ code: "unsupported_server" });
      await expect(refused).rejects.toThrow("encoding is LATIN1: make one with encoding UTF8");
    } finally {
      await latin1.close();
      await database.query(`drop database ${name} with (force)`);
    }
  });

  describe("a schema name that cannot be", () => {
    it.each(['x"; drop schema public; --', "pg_store", "public", "Store", "", "s".repeat(64), "1store"])(
      "%j",
      (schema) => {
        expect(() => connect(schema)).toThrow(/cannot be the schema of a store: write lower-case letters/);
      },
    );
  });

  it("server facts are told with or without a store", async () => {
    const facts = await serverFacts(connect());
    expect(facts.version).toMatch(/^\d+/);
    expect(facts.inRecovery).toBe(false);
    expect(facts.now).toBeInstanceOf(Date);
  });
});

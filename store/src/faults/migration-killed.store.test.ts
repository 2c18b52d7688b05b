import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, forEachPostgres, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { migrate } from "../migrations/migrate.ts";
import { SCHEMA_VERSION, schemaVersion } from "../migrations/schema-version.ts";

/** Between two statements at which it is killed: a prime, so that each step of the schema is hit at several places. */
const STEP = 47;

forEachPostgres(({ adminUrl }) => {
  let empty: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    empty = await createTestDatabase(adminUrl, { migrated: false });
    database = new Database({ connection: parseStoreUrl(empty.url), applicationName: "migration killed" });
  });
  afterAll(async () => {
    await database.close();
    await empty.drop();
  });

  /** Commands that the event trigger has seen since `killAt`. */
  const commands = async (): Promise<number> =>
    (await database.query<{ n: number }>("select last_value::int as n from public.commands"))[0]?.n ?? 0;
  /** Ends the migrator at its n-th command; 0 ends nobody. */
  const killAt = async (n: number): Promise<void> => {
    await database.query("select setval('public.commands', 1), setval('public.victim', $1)", [n + 1]);
  };

  describe("P15: a migration", () => {
    it("that is killed at its n-th statement leaves whole steps and no lock, and the next one goes on to the end", async () => {
      await database.query("create sequence public.commands; create sequence public.victim");
      await database.query(`create function public.kill_at() returns event_trigger language plpgsql as $$ begin
        if nextval('public.commands') = (select last_value from public.victim) then perform pg_terminate_backend(pg_backend_pid()); end if; end $$`);
      await database.query("create event trigger kill_at on ddl_command_start execute function public.kill_at()");
      await killAt(0);
      await migrate(database);
      const total = await commands();
      expect(total).toBeGreaterThan(100);
      for (let n = 1; n < total; n += STEP) {
        await killAt(0);
        await database.query("drop schema jobqueue cascade");
        await killAt(n);
        await expect(migrate(database)).rejects.toMatchObject({ code: "connection_lost" });
        await killAt(0);
        const version = (await schemaVersion(database)) ?? 0;
        expect(await migrate(database)).toEqual({ from: version, to: SCHEMA_VERSION });
        expect(
          await database.query(
            "select from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
          ),
        ).toEqual([]);
      }
      expect((await enqueue(database, { queue: "q", kind: "k" })).outcome).toBe("inserted");
    });
  });

  it("P14: no migration builds an index concurrently, so none can leave half of one behind", () => {
    const directory = join(import.meta.dirname, "../../migrations");
    const files = globSync("*.sql", { cwd: directory });
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => /concurrently/i.test(readFileSync(join(directory, file), "utf8")))).toEqual([]);
  });
});

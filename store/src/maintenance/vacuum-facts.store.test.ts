import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase, forEachPostgres } from "../../../test/support/postgres/database.ts";
import { POSTGRES_MAJORS, PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { sessionOn } from "../session.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { vacuumFacts } from "./vacuum-facts.ts";
import { vacuumTroubles } from "./vacuum-troubles.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  const reasons = async (): Promise<string[]> =>
    vacuumTroubles(await vacuumFacts(store.database)).map(({ reason }) => reason);

  it("P13: a store as it is made is cleaned up behind", async () => {
    expect(await vacuumFacts(store.database)).toMatchObject({
      autovacuum: true,
      trackCounts: true,
      freezeMaxAge: 200_000_000,
      multixactFreezeMaxAge: 400_000_000,
    });
    expect(await reasons()).toEqual([]);
  });

  it.each(["false", "off", "0"])(
    "P13: autovacuum switched off for a table by '%s' is seen until it is reset",
    async (word) => {
      await store.database.query(
        `alter table jobqueue.jobs set (autovacuum_enabled = '${word}', toast_tuple_target = 4080)`,
      );
      expect((await vacuumFacts(store.database)).tables).toMatchObject([{ name: "jobqueue.jobs", autovacuum: false }]);
      expect(await reasons()).toEqual(["AutovacuumOff"]);
      await store.database.query("alter table jobqueue.jobs set (autovacuum_enabled = on)");
      expect(await reasons()).toEqual([]);
      await store.database.query("alter table jobqueue.jobs reset (autovacuum_enabled, toast_tuple_target)");
    },
  );

  it("P13: dead rows are counted against what makes autovacuum come to that table, and a vacuum ends it", async () => {
    const { database } = store;
    // Autovacuum may come to any other table at any time; what is due is the same.
    await database.query(
      "alter table jobqueue.leases set (autovacuum_enabled = off, autovacuum_vacuum_threshold = 1000)",
    );
    await database.query(
      "insert into jobqueue.leases (token, worker_id, ids) select n, 1, '{}' from generate_series(1, 5000) n",
    );
    await database.query("analyze jobqueue.leases");
    await database.query("delete from jobqueue.leases");
    const table = await eventually("the dead rows to be counted", async () =>
      (await vacuumFacts(database)).tables.find(({ name, dead }) => name === "jobqueue.leases" && dead === 5_000),
    );
    expect(table).toMatchObject({ autovacuum: false, threshold: 1_050 }); // 1000, and 0.01 of 5,000 rows
    expect(table.vacuumedSecondsAgo).toBeGreaterThanOrEqual(0);
    await database.query("alter table jobqueue.leases reset (autovacuum_enabled)");
    await database.query("vacuum jobqueue.leases");
    await eventually("the vacuum to be counted", async () =>
      (await vacuumFacts(database)).tables.length === 0 ? true : undefined,
    );
    await database.query("alter table jobqueue.leases reset (autovacuum_vacuum_threshold)");
  });

  it("P13: a user with no right at all sees the same, and waits for no lock", async () => {
    const role = `nobody_${crypto.randomUUID().slice(0, 8)}`;
    await store.database.query(`create role ${role} login`);
    const url = new URL(store.url);
    url.username = role;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    try {
      await store.database.query("alter table jobqueue.workers set (autovacuum_enabled = off)");
      await store.database.transaction(async (session) => {
        await session.query("lock table jobqueue.jobs, jobqueue.workers, jobqueue.leases in access exclusive mode");
        await client.query("set statement_timeout = '10s'");
        const seen = await vacuumFacts(sessionOn(client));
        expect(seen.tables).toMatchObject([{ name: "jobqueue.workers", autovacuum: false }]);
        expect(seen.transactions.age).toBeGreaterThan(0);
      });
    } finally {
      await client.end();
      await store.database.query("alter table jobqueue.workers reset (autovacuum_enabled)");
      await store.database.query(`drop role ${role}`);
    }
  });
});

describe.each(POSTGRES_MAJORS)("PostgreSQL %s that does not freeze", (major) => {
  let server: PostgresServer;
  let database: Database;
  beforeAll(async () => {
    server = await PostgresServer.create(major, {
      autovacuum: "off",
      track_counts: "off",
      autovacuum_freeze_max_age: "100000", // the least there is
      max_prepared_transactions: "1",
    });
    const { url } = await createTestDatabase(server.url());
    database = new Database({
      connection: parseStoreUrl(url),
      applicationName: "store test",
      statementTimeoutMs: 50_000,
    });
  });
  afterAll(async () => {
    await database.close();
    await server.destroy();
  });

  const said = async (): Promise<string[]> =>
    vacuumTroubles(await vacuumFacts(database)).map(({ reason, says }) => `${reason} ${says}`);

  it("P13: a server without autovacuum, and one that counts nothing, is told from its settings", async () => {
    expect(await said()).toEqual([
      expect.stringMatching(/^AutovacuumOff The setting autovacuum is off/),
      expect.stringMatching(/^AutovacuumOff The setting track_counts is off/),
    ]);
  });

  it("P13: transaction ids that a forgotten prepared transaction keeps from being frozen, until it is gone and a vacuum was run", async () => {
    const [row] = await database.query<{ name: string }>("select current_database() as name");
    const near = async (): Promise<boolean> =>
      (await said()).some((one) => one.startsWith(`WraparoundNear Old transaction ids of the database ${row?.name} `));
    await database.transaction(async (session) => {
      await session.query("select pg_current_xact_id()");
      await session.query("prepare transaction 'forgotten'");
    });
    expect(await near()).toBe(false);
    // Each block with an exception clause that writes takes an id of its own.
    await database.query("create table spent (n int)");
    await database.query(
      "do $$ begin for n in 1..250000 loop begin insert into spent values (n); exception when division_by_zero then null; end; end loop; end $$",
    );
    // Forced vacuums come even where autovacuum is off, and cannot freeze what somebody holds.
    await database.query("vacuum");
    expect((await vacuumFacts(database)).transactions.age).toBeGreaterThan(250_000);
    expect(await said()).toEqual(expect.arrayContaining([expect.stringMatching(/^WraparoundNear/)]));
    await database.query("rollback prepared 'forgotten'");
    // A forced vacuum whose snapshot is from before that still keeps them for a moment.
    await eventually("a vacuum to freeze them", async () => {
      await database.query("vacuum (freeze)");
      return (await near()) ? undefined : true;
    });
    expect(await near()).toBe(false);
  });
});

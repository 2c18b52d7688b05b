import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { StoreError } from "../errors.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { Database } from "./database.ts";
import { parseStoreUrl } from "./settings.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let proxy: PostgresProxy;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    proxy = await PostgresProxy.create(store.url);
  });
  afterEach(async () => proxy.close());

  async function through<Result>(
    work: (database: Database) => Promise<Result>,
    options: { statementTimeoutMs?: number; queryTimeoutMs?: number; poolSize?: number } = {},
  ): Promise<Result> {
    const database = new Database({
      connection: parseStoreUrl(proxy.url),
      applicationName: "database test",
      poolSize: 1,
      queryTimeoutMs: 2_000,
      connectTimeoutMs: 5_000,
      ...options,
    });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }
  const pid = async (database: Database) =>
    (await database.query<{ pid: number }>("select pg_backend_pid() as pid"))[0]?.pid;

  describe("a connection is never used again", () => {
    it("P3: after a query on a half-open socket got no answer", async () => {
      await through(async (database) => {
        const before = await pid(database);
        proxy.blackhole();
        const lost = database.query("select 1");
        await expect(lost).rejects.toMatchObject({ code: "timeout", retry: "reconnect" });
        await expect(lost).rejects.toBeInstanceOf(StoreError);
        const after = await pid(database);
        expect(after).not.toBe(before);
        expect(proxy.connections).toBe(2);
      });
    });

    it("after it went half-open in the middle of a transaction: also the rollback cannot get through", async () => {
      await through(async (database) => {
        const lost = database.transaction(async (session) => {
          await enqueue(session, { queue: "half-open", kind: "k" });
          proxy.blackhole();
          await session.query("select 1");
        });
        await expect(lost).rejects.toMatchObject({ code: "timeout" });
        expect(await database.query("select from jobqueue.jobs where queue = 'half-open'")).toEqual([]);
      });
    });

    it("after it was reset, in use or between two statements of a transaction", async () => {
      await through(async (database) => {
        const inUse = database.query("select pg_sleep(10)");
        inUse.catch(() => {});
        while (
          (
            await store.database.query(
              "select from pg_stat_activity where application_name = 'database test' and query = 'select pg_sleep(10)'",
            )
          ).length === 0
        );
        proxy.reset();
        await expect(inUse).rejects.toMatchObject({ code: "connection_lost", retry: "reconnect" });
        const between = database.transaction(async (session) => {
          await session.query("select 1");
          proxy.reset();
          await store.database.query("select pg_sleep(0.05)"); // the reset arrives while nobody waits for an answer
          await session.query("select 1");
        });
        await expect(between).rejects.toMatchObject({ code: "connection_lost" });
        expect(await pid(database)).toBeTypeOf("number");
      });
    });

    it("after it broke while idle; who owns the pool is told", async () => {
      const errors: StoreError[] = [];
      const told = new Promise<void>((resolve) => {
        const database = store.connect({
          poolSize: 1,
          onIdleError: (error) => {
            errors.push(error);
            resolve();
          },
        });
        void pid(database).then(async (idle) => store.database.query("select pg_terminate_backend($1)", [idle]));
      });
      await told;
      expect(errors[0]).toMatchObject({ code: "connection_lost", sqlstate: "57P01" });
    });
  });

  it("a connection on which the server merely refused a statement is kept", async () => {
    await through(async (database) => {
      const before = await pid(database);
      await expect(database.query("select * from jobqueue.enqueue('Bad', 'k', '{}')")).rejects.toMatchObject({
        code: "invalid_input",
      });
      await expect(database.query("select jobqueue.claim(0, '{q}', 1)")).rejects.toMatchObject({
        code: "lease_lapsed",
      });
      await expect(database.transaction(async (session) => session.query("select 1/0"))).rejects.toMatchObject({
        code: "invalid_input",
      });
      expect(await pid(database)).toBe(before);
      expect(await database.query("select pg_current_xact_id_if_assigned() is null as clean")).toEqual([
        { clean: true },
      ]);
    });
  });

  it("a transaction that went on after a failed statement commits nothing, and says so", async () => {
    await through(async (database) => {
      const before = await pid(database);
      const deaf = database.transaction(async (session) => {
        await enqueue(session, { queue: "swallowed", kind: "k" });
        await session.query("select 1/0").catch(() => {});
      });
      await expect(deaf).rejects.toThrow("nothing was committed");
      expect(await database.query("select from jobqueue.jobs where queue = 'swallowed'")).toEqual([]);
      expect(await pid(database)).toBe(before);
    });
  });

  it("the server ends a transaction that stands idle, so that a stopped process keeps no lock", async () => {
    await through(async (database) => {
      const [limit] = await database.transaction(async (session) =>
        session.query<{ idle_in_transaction_session_timeout: string }>("show idle_in_transaction_session_timeout"),
      );
      expect(limit?.idle_in_transaction_session_timeout).toBe("1min");
    });
  });

  it("an error of the caller inside a transaction rolls back, keeps the connection, and is passed on as it is", async () => {
    await through(async (database) => {
      const before = await pid(database);
      const mine = new TypeError("mine");
      await expect(
        database.transaction(async () => {
          throw mine;
        }),
      ).rejects.toBe(mine);
      expect(await pid(database)).toBe(before);
    });
  });

  describe("time limits", () => {
    it("the server gives up a statement, and the connection is kept", async () => {
      await through(
        async (database) => {
          const before = await pid(database);
          await expect(database.query("select pg_sleep(30)")).rejects.toMatchObject({
            code: "timeout",
            sqlstate: "57014",
            retry: "backoff",
          });
          expect(await pid(database)).toBe(before);
        },
        { statementTimeoutMs: 1_000, queryTimeoutMs: 30_000 },
      );
    });

    it("waiting for a connection of a full pool ends", async () => {
      const database = store.connect({ poolSize: 1, connectTimeoutMs: 1_500 });
      await database.transaction(async () => {
        await expect(database.query("select 1")).rejects.toMatchObject({ code: "connection_lost", retry: "reconnect" });
      });
    });

    it("a server that accepts and says nothing is not waited for", async () => {
      const { createServer } = await import("node:net");
      const silent = createServer(() => {});
      await new Promise<void>((resolve) => {
        silent.listen(0, "127.0.0.1", resolve);
      });
      const { port } = silent.address() as { port: number };
      const database = new Database({
        connection: { ...parseStoreUrl(store.url), port },
        applicationName: "database test",
        connectTimeoutMs: 100,
      });
      await expect(database.query("select 1")).rejects.toMatchObject({ code: "connection_lost" });
      await database.close();
      silent.close();
    });
  });

  it("behind a pooler that refuses statement_timeout it works all the same", async () => {
    proxy.refuseStartupParameter("statement_timeout");
    await through(
      async (database) => {
        const both = await Promise.all([pid(database), pid(database)]);
        expect(both[0]).toBeTypeOf("number");
        const [limit] = await database.query<{ statement_timeout: string }>("show statement_timeout");
        expect(limit?.statement_timeout).toBe("0");
        const [inside] = await database.transaction(
          async (session) => session.query<{ statement_timeout: string }>("show statement_timeout"),
          { timeoutMs: 1_000 },
        );
        expect(inside?.statement_timeout).toBe("1s");
      },
      { statementTimeoutMs: 20_000, queryTimeoutMs: 25_000, poolSize: 2 },
    );
  });

  it("keeps no state in a server session: what one borrower set, the next does not find", async () => {
    const database = store.connect({ poolSize: 1 });
    const settings = async () =>
      database.query("select name, setting from pg_settings where source in ('session', 'client') order by name");
    const before = await settings();
    await enqueue(database, { queue: "q", kind: "k", uniqueKey: "u" });
    await database.query("select jobqueue.maintain()");
    await database.query("select jobqueue.recover_stale()");
    await database.transaction(async (session) => session.query("select 1"), { timeoutMs: 5_000 });
    expect(await settings()).toEqual(before);
    expect(
      await database.query("select * from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"),
    ).toEqual([]);
    expect(await database.query("select * from pg_prepared_statements")).toEqual([]);
  });

  it("after it was closed it says so, and closing again does nothing", async () => {
    const database = store.connect();
    await database.close();
    await database.close();
    await expect(database.query("select 1")).rejects.toBeInstanceOf(StoreError);
  });

  it.each([
    ["a port where nobody listens", { port: 1 }, { code: "connection_lost", retry: "reconnect" }],
    [
      "a database that does not exist",
      { database: "nowhere" },
      { code: "not_installed", retry: "never", sqlstate: "3D000" },
    ],
    ["a user that does not exist", { user: "nobody-at-all" }, { code: "access_denied", retry: "never" }],
    [
      "TLS where the server has none",
      { tls: { mode: "VerifyFull" as const } },
      { code: "access_denied", retry: "never" },
    ],
  ])("%s is told apart from an outage", async (_, wrong, expected) => {
    const database = store.connect({ connection: { ...parseStoreUrl(store.url), ...wrong } });
    await expect(database.query("select 1")).rejects.toMatchObject(expected);
  });
});

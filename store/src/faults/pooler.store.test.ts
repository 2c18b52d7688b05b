import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { PgBouncer } from "../../../test/support/postgres/pgbouncer.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue, enqueueMany } from "../jobs/enqueue.ts";
import { hold } from "../queues/hold.ts";
import { release } from "../queues/release.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { registerWorker } from "../workers/register-worker.ts";

const JOBS = 120;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let bouncer: PgBouncer;
  let database: Database;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    bouncer = await PgBouncer.create(store.url, { default_pool_size: "2", max_client_conn: "6" });
    database = new Database({
      connection: parseStoreUrl(bouncer.url()),
      applicationName: "pooled",
      poolSize: 4,
      connectTimeoutMs: 2_000,
      queryTimeoutMs: 3_000,
    });
  });
  afterEach(async () => {
    await database.close();
    await bouncer.destroy();
  });

  const works = async (session = database) =>
    eventually("an enqueue to work", async () => (await enqueue(session, { queue: "q", kind: "k" })).outcome, {
      timeoutMs: 10_000,
    });

  describe("B1: behind PgBouncer in transaction mode", () => {
    it("everything that takes jobs from enqueue to the history works, from more callers than there are server connections", async () => {
      const workers = await Promise.all([1, 2].map((n) => registerWorker(database, { bootId: `boot-${n}` })));
      await enqueueMany(
        database,
        Array.from({ length: JOBS }, () => ({ queue: "q", kind: "k" })),
      );
      const drain = async (workerId: string): Promise<number> => {
        let done = 0;
        for (;;) {
          const jobs = await claim(database, { workerId, queues: ["q"], max: 5 });
          if (jobs.length === 0) return done;
          expect(await complete(database, jobs)).toEqual([]);
          done += jobs.length;
        }
      };
      const done = await Promise.all([...workers, ...workers].map(drain));
      expect(done.reduce((sum, count) => sum + count, 0)).toBe(JOBS);
    });

    it("G11: a hold holds through it, since its lock belongs to the transaction", async () => {
      const workerId = await registerWorker(database, { bootId: "boot" });
      await enqueue(database, { queue: "q", kind: "k" });
      await hold(database, { queue: "q", name: "h", reason: "r", actor: "a", source: "cli" });
      expect(await claim(database, { workerId, queues: ["q"], max: 1 })).toEqual([]);
      await release(database, { queue: "q", name: "h", reason: "r", actor: "a" });
      expect(await claim(database, { workerId, queues: ["q"], max: 1 })).toHaveLength(1);
    });

    it("G20: a listener finds out that it is deaf, says so, and polling is all that is left", async () => {
      const hearing: boolean[] = [];
      const hints = await database.listen({ onHint: () => {}, onHearing: (now) => hearing.push(now) });
      // The LISTEN went to a server connection that others use now: its proof does not arrive, or not reliably.
      await eventually("the listener to be judged", async () => hearing.length > 0 || !hints.hearing || undefined, {
        timeoutMs: 20_000,
      });
      await hints.stop();
      expect(await works()).toBe("inserted");
    });
  });

  describe("B2: a pooler that misbehaves", () => {
    it("by a restart: connections are replaced, none that broke is used again", async () => {
      await works();
      await bouncer.restart();
      expect(await works()).toBe("inserted");
    });

    it("by PAUSE: callers get their time limit, and go on after RESUME", async () => {
      await works();
      await bouncer.console("pause");
      await expect(enqueue(database, { queue: "q", kind: "k" })).rejects.toMatchObject({ code: "timeout" });
      await bouncer.console("resume");
      expect(await works()).toBe("inserted");
    });

    it("by having no room for another client: refused, and possible again when one left", async () => {
      const crowd = [1, 2].map(
        () => new Database({ connection: parseStoreUrl(bouncer.url()), applicationName: "crowd", poolSize: 3 }),
      );
      await Promise.all(
        crowd.flatMap((each) =>
          [1, 2, 3].map(() => each.transaction((session) => session.query("select pg_sleep(0.2)"))),
        ),
      );
      await expect(enqueue(database, { queue: "q", kind: "k" })).rejects.toMatchObject({
        code: expect.stringMatching(/connection_lost|overloaded/) as string,
      });
      await Promise.all(crowd.map(async (each) => each.close()));
      expect(await works()).toBe("inserted");
    });

    it("by ending the server's side: as a lost connection", async () => {
      await works();
      await store.database.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
      expect(await works()).toBe("inserted");
    });
  });

  it("B3: no statement is prepared by name, so that none can be missing on the next server connection", async () => {
    await Promise.all(Array.from({ length: 20 }, () => enqueue(database, { queue: "q", kind: "k" })));
    const prepared = await Promise.all(
      Array.from({ length: 4 }, () => database.query("select name from pg_prepared_statements")),
    );
    expect(prepared.flat()).toEqual([]);
  });
});

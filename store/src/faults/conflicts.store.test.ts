import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import type { Database } from "../connection/database.ts";
import type { Session } from "../session.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let one: Database;
  let two: Database;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    one = store.connect({ poolSize: 1 });
    two = store.connect({ poolSize: 1 });
    await store.database.query("create table public.accounts (id int primary key, balance int)");
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    await store.database.query("delete from public.accounts");
    await store.database.query("insert into public.accounts values (1, 0), (2, 0)");
  });
  const pid = async (database: Database) =>
    (await database.query<{ pid: number }>("select pg_backend_pid() as pid"))[0]?.pid;
  const bump = (session: Session, id: number) =>
    session.query("update public.accounts set balance = balance + 1 where id = $1", [id]);

  describe("P9: what the server rolled back is told as such, with what to do, and the connection is kept", () => {
    it("40001: a serialization failure; an enqueue in the same transaction is not there, and is once it is repeated", async () => {
      const before = await pid(one);
      const attempt = one.transaction(async (session) => {
        await session.query("set transaction isolation level repeatable read");
        await session.query("select from public.accounts");
        await two.transaction((other) => bump(other, 1));
        await enqueue(session, { queue: "q", kind: "k" });
        await bump(session, 1);
      });
      await expect(attempt).rejects.toMatchObject({ code: "conflict", retry: "transaction", sqlstate: "40001" });
      expect(await store.database.query("select from jobqueue.jobs")).toEqual([]);
      await one.transaction(async (session) => {
        await enqueue(session, { queue: "q", kind: "k" });
        await bump(session, 1);
      });
      expect(await store.database.query("select from jobqueue.jobs")).toHaveLength(1);
      expect(await pid(one)).toBe(before);
    });

    it("40P01: of two that wait for each other one is rolled back, and neither loses its connection", async () => {
      const before = [await pid(one), await pid(two)];
      let meet: () => void = () => {};
      let arrived = 0;
      const both = new Promise<void>((resolve) => {
        meet = () => {
          arrived++;
          if (arrived === 2) resolve();
        };
      });
      const crossing = (database: Database, first: number, second: number) =>
        database.transaction(async (session) => {
          await enqueue(session, { queue: "q", kind: "k" });
          await bump(session, first);
          meet();
          await both;
          await bump(session, second);
        });
      const outcomes = await Promise.allSettled([crossing(one, 1, 2), crossing(two, 2, 1)]);
      const lost = outcomes.find((outcome) => outcome.status === "rejected");
      expect(lost?.reason).toMatchObject({ code: "conflict", retry: "transaction", sqlstate: "40P01" });
      expect(await store.database.query("select from jobqueue.jobs")).toHaveLength(1);
      expect([await pid(one), await pid(two)]).toEqual(before);
    });

    it("55P03: a lock that is not waited for", async () => {
      const before = await pid(one);
      await two.transaction(async (holder) => {
        await bump(holder, 1);
        await expect(
          one.transaction(async (session) => {
            await session.query("set local lock_timeout = '50ms'");
            await bump(session, 1);
          }),
        ).rejects.toMatchObject({ code: "conflict", retry: "transaction", sqlstate: "55P03" });
      });
      expect(await pid(one)).toBe(before);
    });

    it("57014: a statement that was cancelled, or took too long, did nothing and may be repeated", async () => {
      const impatient = store.connect({ poolSize: 1, statementTimeoutMs: 200 });
      const worker = await store.worker();
      await enqueue(store.database, { queue: "q", kind: "k" });
      const jobs = await claim(store.database, { workerId: worker, queues: ["q"], max: 1 });
      await two.transaction(async (holder) => {
        await holder.query("lock table jobqueue.jobs in share mode");
        await expect(complete(impatient, jobs)).rejects.toMatchObject({
          code: "timeout",
          retry: "backoff",
          sqlstate: "57014",
        });
      });
      expect(await complete(impatient, jobs)).toEqual([]);
    });
  });
});

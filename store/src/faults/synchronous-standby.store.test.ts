import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { StoreError } from "../errors.ts";
import { enqueue } from "../jobs/enqueue.ts";

let server: PostgresServer;
let admin: Database;
let url: string;
beforeAll(async () => {
  server = await PostgresServer.create(18);
  ({ url } = await createTestDatabase(server.url()));
  admin = new Database({ connection: parseStoreUrl(url), applicationName: "admin" });
});
afterAll(async () => {
  await admin.close();
  await server.destroy();
});

/** Whether a statement is answered, on a connection of its own. */
async function committed(sql: string): Promise<boolean> {
  const session = new Database({ connection: parseStoreUrl(url), applicationName: "probe", queryTimeoutMs: 1_000 });
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === "timeout") return false;
    throw error;
  } finally {
    await session.close();
  }
}

it("P19: while the synchronous standby is gone commits hang, callers get their time limit and not a deadlocked pool, and nothing is done twice", async () => {
  const database = new Database({
    connection: parseStoreUrl(url),
    applicationName: "app",
    poolSize: 2,
    statementTimeoutMs: 500,
    queryTimeoutMs: 1_000,
    connectTimeoutMs: 3_000,
  });
  const job = (n: number) => ({ queue: "q", kind: "k", uniqueKey: `order-${n}` });
  await enqueue(database, job(0));
  await admin.query("create table public.probe ()");
  await admin.query("alter system set synchronous_standby_names = 'gone'");
  await admin.query("select pg_reload_conf()");
  // Another process of the server than the session that shows the setting has commits wait, when it gets to it.
  await expect.poll(async () => committed("insert into public.probe default values")).toBe(false);

  // More callers than connections: each gets its answer in time.
  const stuck = await Promise.allSettled([1, 2, 3, 4].map((n) => enqueue(database, job(n))));
  expect(stuck.map((outcome) => outcome.status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
  // Reading needs no standby, so the pool is known to work.
  expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);

  await admin.query("alter system reset synchronous_standby_names");
  await admin.query("select pg_reload_conf()");
  await expect
    .poll(async () => {
      const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => enqueue(database, job(n))));
      return outcomes.map((outcome) => outcome.status);
    })
    .toEqual(["fulfilled", "fulfilled", "fulfilled", "fulfilled"]);
  // They had committed here or not; with their keys there is one of each.
  expect(await admin.query("select unique_key from jobqueue.jobs order by 1")).toEqual(
    [0, 1, 2, 3, 4].map((n) => ({ unique_key: `order-${n}` })),
  );
  await database.close();
});

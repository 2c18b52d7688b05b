import { Database, migrate, parseStoreUrl } from "@jobqueue/store";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../../test/support/postgres/database.ts";
import { ManualClock } from "../../runtime/testing/manual-clock.ts";
import { VacuumWatch } from "./vacuum-watch.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

let database: TestDatabase;
let store: Database;
beforeAll(async () => {
  database = await createTestDatabase(adminUrl);
  store = new Database({ connection: parseStoreUrl(database.url), applicationName: "test" });
  await migrate(store);
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

it("asks a store anew only when the answer is old, or may be that of another server", async () => {
  const clock = new ManualClock();
  const watch = new VacuumWatch({ clock, everyMs: 60_000 });
  const reasons = async () => (await watch.troubles(store)).map(({ reason }) => reason);
  expect(await reasons()).toEqual([]);
  await store.query("alter table jobqueue.jobs set (autovacuum_enabled = off)");
  await clock.advance(59_999);
  expect(await reasons()).toEqual([]);
  await clock.advance(1);
  expect(await reasons()).toEqual(["AutovacuumOff"]);
  await store.query("alter table jobqueue.jobs reset (autovacuum_enabled)");
  expect(await reasons()).toEqual(["AutovacuumOff"]);
  watch.forget();
  expect(await reasons()).toEqual([]);
});

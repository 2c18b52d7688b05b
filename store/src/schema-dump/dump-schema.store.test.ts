import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { dumpSchema } from "./dump-schema.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("schema.sql is what the migrations make, on every supported server (else: make generate)", async () => {
    const golden = readFileSync(join(import.meta.dirname, "../../schema.sql"), "utf8");
    expect(golden.replace(/^(--.*\n)*\n/, "")).toBe(await dumpSchema(store.database));
  });

  it("every function, table and view says what it is for", async () => {
    const silent = await store.database.query<{ name: string }>(
      `select p.oid::regprocedure::text as name from pg_proc p
       where p.pronamespace = 'jobqueue'::regnamespace and obj_description(p.oid, 'pg_proc') is null
       union all select c.oid::regclass::text from pg_class c
       where c.relnamespace = 'jobqueue'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
         and obj_description(c.oid, 'pg_class') is null`,
    );
    expect(silent.map((row) => row.name)).toEqual([]);
  });
});

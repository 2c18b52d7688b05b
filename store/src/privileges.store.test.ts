import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "./testing/open-store.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("PUBLIC has nothing: no right on the schema, a table, a view, a sequence or a function", async () => {
    const granted = await store.database.query(
      `select 'schema' as what, n.nspname as name from pg_namespace n, aclexplode(n.nspacl) a
         where n.nspname = 'jobqueue' and a.grantee = 0
       union all select 'relation', c.oid::regclass::text from pg_class c, aclexplode(c.relacl) a
         where c.relnamespace = 'jobqueue'::regnamespace and a.grantee = 0
       union all select 'function', p.oid::regprocedure::text
         from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         where p.pronamespace = 'jobqueue'::regnamespace and a.grantee = 0`,
    );
    expect(granted).toEqual([]);
  });

  it("every definer function pins its search_path to the schema, and pg_temp last", async () => {
    const loose = await store.database.query(
      `select p.oid::regprocedure::text as name from pg_proc p
       where p.pronamespace = 'jobqueue'::regnamespace and p.prosecdef
         and not coalesce(p.proconfig, '{}') @> array['search_path=jobqueue, pg_temp']`,
    );
    expect(loose).toEqual([]);
  });

  describe("a role with nothing but LOGIN", () => {
    const role = `nobody_${crypto.randomUUID().slice(0, 8)}`;
    let client: Client;
    beforeAll(async () => {
      await store.database.query(`create role ${role} login`);
      const url = new URL(store.url);
      url.username = role;
      client = new Client({ connectionString: url.href });
      await client.connect();
    });
    afterAll(async () => {
      await client.end();
      await store.database.query(`drop role ${role}`);
    });

    it.each([
      "select * from jobqueue.enqueue('q', 'k', '{}')",
      "select * from jobqueue.claim(1, '{q}', 1)",
      "select jobqueue.hold('*', 'n', 'r', 'a', 'cli')",
      "select jobqueue.recover_stale()",
      "select jobqueue.maintain()",
      "select * from jobqueue.v_jobs",
      "select * from jobqueue.jobs",
      "delete from jobqueue.holds",
      "select nextval('jobqueue.lease_tokens')",
    ])("may not: %s", async (sql) => {
      await expect(client.query(sql)).rejects.toThrow("permission denied for schema jobqueue");
    });
  });
});

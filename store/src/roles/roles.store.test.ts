import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { sessionOn } from "../session.ts";
import { EXPECTED_RIGHTS, PAYLOAD_COLUMNS } from "../testing/expected-rights.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { listJobs } from "../jobs/read-jobs.ts";
import { grantRole, revokeRole, type StoreRole } from "./grant-role.ts";

const ROLES: readonly StoreRole[] = ["producer", "worker", "operator", "reader", "admin"];

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  const suffix = crypto.randomUUID().slice(0, 8);
  const userOf = (role: string): string => `${role}_${suffix}`;
  const clients: Client[] = [];
  async function connectAs(user: string): Promise<Client> {
    const url = new URL(store.url);
    url.username = user;
    const client = new Client({ connectionString: url.href });
    await client.connect();
    clients.push(client);
    return client;
  }
  beforeAll(async () => {
    store = await openStore(adminUrl);
    for (const role of [...ROLES, "several"]) await store.database.query(`create role ${userOf(role)} login`);
    for (const role of ROLES) await grantRole(store.database, role, userOf(role));
  });
  afterAll(async () => {
    for (const client of clients) await client.end();
    for (const role of [...ROLES, "several"]) {
      await store.database.query(`drop owned by ${userOf(role)}`);
      await store.database.query(`drop role ${userOf(role)}`);
    }
    await store.close();
  });

  /** Runs a statement, takes back what it did, and says whether a right was missing. */
  async function isDenied(client: Client, sql: string): Promise<boolean> {
    await client.query("begin");
    try {
      await client.query(sql);
      return false;
    } catch (error) {
      return (error as { code?: string }).code === "42501";
    } finally {
      await client.query("rollback");
    }
  }

  it("the matrix names every function, table and view, and nothing else", async () => {
    const functions = await store.database.query<{ name: string }>(
      `select distinct p.proname as name from pg_proc p where p.pronamespace = 'jobqueue'::regnamespace
         and obj_description(p.oid, 'pg_proc') not like 'Internal.%' order by 1`,
    );
    expect(functions.map(({ name }) => name)).toEqual(Object.keys(EXPECTED_RIGHTS.functions).toSorted());
    const relations = await store.database.query<{ name: string }>(
      `select c.relname as name from pg_class c where c.relnamespace = 'jobqueue'::regnamespace and c.relkind in ('r', 'p', 'v')
         and not c.relispartition order by 1`,
    );
    expect(relations.map(({ name }) => name).toSorted()).toEqual(Object.keys(EXPECTED_RIGHTS.relations).toSorted());
  });

  describe.each(ROLES)("the role %s", (role) => {
    let client: Client;
    beforeAll(async () => {
      client = await connectAs(userOf(role));
    });

    it("may call just the functions the matrix gives it, and none that is internal", async () => {
      // Nulls for all arguments: what matters is whether the call is let in, not what it answers.
      const calls = await store.database.query<{ name: string; internal: boolean; call: string }>(
        `select p.proname as name, obj_description(p.oid, 'pg_proc') like 'Internal.%' as internal,
           format('select jobqueue.%I(%s)', p.proname, (select string_agg(format('null::%s', format_type(t.type, null)), ', ' order by t.at)
             from unnest(p.proargtypes) with ordinality t(type, at))) as call
         from pg_proc p where p.pronamespace = 'jobqueue'::regnamespace`,
      );
      for (const { name, internal, call } of calls) {
        const allowed = !internal && EXPECTED_RIGHTS.functions[name]?.includes(role) === true;
        expect([name, await isDenied(client, call)]).toEqual([name, !allowed]);
      }
    });

    it("may read just the tables, views and columns the matrix gives it, and write none", async () => {
      for (const [name, roles] of Object.entries(EXPECTED_RIGHTS.relations)) {
        expect([name, await isDenied(client, `select * from jobqueue.${name} limit 1`)]).toEqual([
          name,
          !roles.includes(role),
        ]);
        const [write] = await store.database.query<{ may: boolean }>(
          "select has_table_privilege($1, $2, 'insert, update, delete, truncate, references, trigger') as may",
          [userOf(role), `jobqueue.${name}`],
        );
        expect([name, write?.may]).toEqual([name, false]);
      }
      for (const [view, hidden] of Object.entries(PAYLOAD_COLUMNS)) {
        const columns = await store.database.query<{ name: string }>(
          `select attname as name from pg_attribute where attrelid = ('jobqueue.' || $1)::regclass and attnum > 0`,
          [view],
        );
        for (const { name } of columns) {
          const whole = EXPECTED_RIGHTS.relations[view]?.includes(role) ?? false;
          const allowed = whole || (["operator", "reader"].includes(role) && !hidden.includes(name));
          const read = `select ${name} from jobqueue.${view} limit 1`;
          expect([name, await isDenied(client, read)]).toEqual([name, !allowed]);
        }
      }
    });

    it("may not use a sequence", async () => {
      expect(await isDenied(client, "select nextval('jobqueue.lease_tokens')")).toBe(true);
    });
  });

  it("a reader lists jobs without their payloads", async () => {
    await store.database.query(`select jobqueue.enqueue('q', 'k', '{"secret": 1}')`);
    const reader = sessionOn(await connectAs(userOf("reader")));
    expect(await listJobs(reader, { payloads: false })).toMatchObject([{ kind: "k", payload: null }]);
    await expect(listJobs(reader)).rejects.toMatchObject({ code: "access_denied", sqlstate: "42501" });
  });

  it("roles add up; what one gives stays when another is taken, and the last takes all (G19)", async () => {
    const user = userOf("several");
    const client = await connectAs(user);
    const may = async () => [
      !(await isDenied(client, "select * from jobqueue.enqueue('q', 'k', '{}')")),
      !(await isDenied(client, "select id from jobqueue.v_jobs limit 1")),
      !(await isDenied(client, "select payload from jobqueue.v_jobs limit 1")),
    ];
    expect(await may()).toEqual([false, false, false]);
    expect(await grantRole(store.database, "producer", user)).toBe(true);
    expect(await grantRole(store.database, "producer", user)).toBe(false);
    await grantRole(store.database, "reader", user);
    expect(await may()).toEqual([true, true, false]);
    await grantRole(store.database, "admin", user);
    expect(await may()).toEqual([true, true, true]);
    expect(await revokeRole(store.database, "admin", user)).toBe(true);
    expect(await revokeRole(store.database, "admin", user)).toBe(false);
    expect(await may()).toEqual([true, true, false]);
    await revokeRole(store.database, "producer", user);
    await revokeRole(store.database, "reader", user);
    expect(await may()).toEqual([false, false, false]);
    const events = await store.database.query(
      "select action, after from jobqueue.audit_events where target = $1 order by id",
      [`roles/${user}`],
    );
    expect(events).toHaveLength(6);
    expect(events[3]).toEqual({ action: "grant_role", after: { revoked: "admin" } });
  });

  it.each([
    ["root", "nobody", "'root' is no role: write producer, worker, operator, reader or admin"],
    ["reader", "no_such_user", "the database has no user 'no_such_user': make it first"],
  ])("the role %s for %s is refused", async (role, user, words) => {
    await expect(grantRole(store.database, role as StoreRole, user)).rejects.toThrow(words);
  });

  it("the owner of the store needs no role", async () => {
    const [owner] = await store.database.query<{ name: string }>("select current_user as name");
    await expect(grantRole(store.database, "reader", owner?.name ?? "")).rejects.toThrow("owns the store and has all");
  });
});

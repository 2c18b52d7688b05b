import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { enqueue } from "../jobs/enqueue.ts";

describe("P18: access that is lost", () => {
  let server: PostgresServer;
  let admin: Database;
  let url: string;
  beforeAll(async () => {
    server = await PostgresServer.create(18);
    ({ url } = await createTestDatabase(server.url()));
    admin = new Database({ connection: parseStoreUrl(url), applicationName: "admin" });
    await admin.query("create role app login password 'first'");
    await admin.query("grant usage on schema jobqueue to app");
    await admin.query("grant execute on all functions in schema jobqueue to app");
    // From here on everybody but the superuser shows a password.
    writeFileSync(
      join(server.directory, "data/pg_hba.conf"),
      "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n",
    );
    await admin.query("select pg_reload_conf()");
    // The process that lets sessions in reads the file when it gets to it.
    await eventually("passwords to be asked for", async () => !(await letsIn("not the password")) || undefined);
  });
  afterAll(async () => {
    await admin.close();
    await server.destroy();
  });
  beforeEach(async () => {
    await admin.query("alter role app password 'first'");
  });

  async function letsIn(password: string): Promise<boolean> {
    const session = app(password);
    try {
      await session.query("select 1");
      return true;
    } catch {
      return false;
    } finally {
      await session.close();
    }
  }

  function app(password: string, poolSize = 2): Database {
    return new Database({
      connection: { ...parseStoreUrl(url), user: "app", password },
      applicationName: "app",
      poolSize,
    });
  }

  it("by a new password: what stands goes on, new connections are refused in words, and stand once it is right again", async () => {
    const database = app("first");
    await database.transaction(async (standing) => {
      await standing.query("select 1");
      await admin.query("alter role app password 'second'");
      const refused = enqueue(database, { queue: "q", kind: "k" });
      await expect(refused).rejects.toMatchObject({ code: "access_denied", retry: "never", sqlstate: "28P01" });
      await expect(refused).rejects.toThrow(/check user, password and certificate/);
      expect((await enqueue(standing, { queue: "q", kind: "k" })).outcome).toBe("inserted");
    });
    const rotated = app("second");
    expect((await enqueue(rotated, { queue: "q", kind: "k" })).outcome).toBe("inserted");
    await admin.query("alter role app password 'first'");
    const [one, two] = await Promise.all([1, 2].map(() => enqueue(database, { queue: "q", kind: "k" })));
    expect([one?.outcome, two?.outcome]).toEqual(["inserted", "inserted"]);
    await Promise.all([database.close(), rotated.close()]);
  });

  it("by a right that was taken: refused in words, with the connection kept, and at once possible when it is given back", async () => {
    const database = app("first", 1);
    const pid = async () => (await database.query<{ pid: number }>("select pg_backend_pid() as pid"))[0]?.pid;
    const before = await pid();
    await admin.query("revoke execute on function jobqueue.enqueue_many from app");
    const refused = enqueue(database, { queue: "q", kind: "k" });
    await expect(refused).rejects.toMatchObject({ code: "access_denied", retry: "never", sqlstate: "42501" });
    await expect(refused).rejects.toThrow(/lacks a right/);
    await admin.query("grant execute on function jobqueue.enqueue_many to app");
    expect((await enqueue(database, { queue: "q", kind: "k" })).outcome).toBe("inserted");
    expect(await pid()).toBe(before);
    await database.close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { createTestDatabase, forNewestPostgres, type TestDatabase } from "../../test/support/postgres/database.ts";
import { runJobqueue, startJobqueue } from "./testing/run-jobqueue.ts";

forNewestPostgres(({ adminUrl }) => {
  let database: TestDatabase;
  let env: Record<string, string>;
  beforeAll(async () => {
    database = await createTestDatabase(adminUrl);
    env = { DATABASE_URL: database.url };
  });
  afterAll(async () => database.drop());

  it("jobqueue api-key makes a key that opens the server jobqueue admin, lists it and revokes it (S19)", async () => {
    const made = await runJobqueue(["api-key", "create", "on-call", "--scope", "operator,audit:read", "--for", "1h"], {
      env,
    });
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining("It is shown this once") as string });
    const key = made.stdout.trim();
    expect(key).toMatch(/^jqk_[\w-]{32}$/);

    const server = startJobqueue(["admin", "--listen", "127.0.0.1:0", "--auth", "keys"], env);
    try {
      const url = await eventually("the server to listen", async () => /"url":"([^"]+)"/.exec(server.output())?.[1]);
      const statusOf = async (secret: string): Promise<number> =>
        (await fetch(`${url}/api/v1/audit`, { headers: { authorization: `Key ${secret}` } })).status;
      expect([await statusOf(key), await statusOf("jqk_wrong")]).toEqual([200, 401]);
      const listed = await runJobqueue(["api-key", "list"], { env });
      expect(listed.stdout).toMatch(/on-call +valid/);
      expect(listed.stdout).not.toContain(key);
      expect(await runJobqueue(["api-key", "revoke", "on-call", "--reason", "left"], { env })).toMatchObject({
        code: 0,
      });
      expect(await statusOf(key)).toBe(401);
      expect((await runJobqueue(["api-key", "list"], { env })).stdout).toContain("There is no key");
      expect((await runJobqueue(["api-key", "list", "--all", "-o", "name"], { env })).stdout).toBe("on-call\n");
      expect((await runJobqueue(["api-key", "revoke", "on-call"], { env })).code).toBe(3);
    } finally {
      expect(await server.stop()).toBe(0);
    }
    expect(server.output()).not.toContain(key);
    const audit = await runJobqueue(["audit", "--target", "on-call", "-o", "json"], { env });
    expect(audit.stdout).toContain("create_api_key");
    expect(audit.stdout).toContain("revoke_api_key");
  });

  describe("jobqueue", () => {
    it("admin refuses to be open to others without being told so (S19)", async () => {
      const { code, stderr } = await runJobqueue(["admin", "--listen", "0.0.0.0:0"], { env });
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("can be reached from elsewhere") as string,
      });
    });

    it("api-key create refuses a scope that is none, and a name that a key has", async () => {
      const wrong = await runJobqueue(["api-key", "create", "x", "--scope", "everything"], { env });
      expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("is no scope") as string });
      await runJobqueue(["api-key", "create", "twice", "--scope", "viewer"], { env });
      const again = await runJobqueue(["api-key", "create", "twice", "--scope", "viewer"], { env });
      expect(again.code).not.toBe(0);
      expect(again.stderr).toContain("there is a key named 'twice' already");
    });
  });
});

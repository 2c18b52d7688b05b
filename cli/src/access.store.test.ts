import { describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { STORE_ROLES } from "./table/access.ts";
import { commandOnStore } from "./testing/command-on-store.ts";
import { type Ended, runJobqueue } from "./testing/run-jobqueue.ts";

forEachPostgres(({ adminUrl }) => {
  const { database, url, jobqueue, json, enqueue } = commandOnStore(adminUrl);

  /** A user of the database, and the command run as that user. */
  const newUser = async (): Promise<{ name: string; as: (...args: string[]) => Promise<Ended> }> => {
    const name = `cli_${crypto.randomUUID().replaceAll("-", "")}`;
    await database().query(`create role ${name} login`);
    const own = new URL(url());
    own.username = name;
    return { name, as: async (...args) => runJobqueue(args, { env: { DATABASE_URL: own.href } }) };
  };

  describe("jobqueue grant and revoke", () => {
    it("let a user do what the role may and nothing else, and are told and audited", async () => {
      const { name, as } = await newUser();
      expect((await as("enqueue", "granted", "k")).code).not.toBe(0);
      expect(await jobqueue("grant", "producer", name)).toMatchObject({
        code: 0,
        stdout: `User ${name} has the role producer.\n`,
      });
      expect((await jobqueue("grant", "producer", name)).stdout).toBe(`User ${name} had the role producer already.\n`);
      expect((await as("enqueue", "granted", "k")).code).toBe(0);
      const refused = await as("jobs");
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      expect(refused.stderr).toContain("the database user lacks a right");
      expect((await jobqueue("roles")).stdout).toMatch(new RegExp(`${name} +producer +\\d{4}-`));
      expect(await json("audit", "--action", "grant_role")).toMatchObject([{ target: `roles/${name}` }]);
      expect(await json("revoke", "producer", name)).toEqual({
        role: "producer",
        user: name,
        granted: false,
        changed: true,
      });
      expect((await jobqueue("revoke", "producer", name)).stdout).toBe(
        `User ${name} did not have the role producer.\n`,
      );
      expect((await as("enqueue", "granted", "k")).code).not.toBe(0);
    });

    it("a reader sees everything but payloads, and is told that they are left out", async () => {
      const { name, as } = await newUser();
      await json("grant", "reader", name);
      const id = await enqueue("read", "--payload", '{"secret": "s3cret"}');
      await json("schedule", "put", "hourly", "read", "k", "--cron", "0 * * * *", "--payload", '{"secret": "s3cret"}');
      for (const args of [
        ["status"],
        ["jobs"],
        ["workers"],
        ["holds"],
        ["why", "read"],
        ["why", id],
        ["schedules"],
        ["configure", "read"],
      ]) {
        expect({ args, ...(await as(...args)) }).toMatchObject({ code: 0, stderr: "" });
      }
      for (const args of [
        ["job", id],
        ["jobs", "-o", "json"],
        ["schedules", "-o", "json"],
        ["schedules", "hourly"],
      ]) {
        const { code, stdout, stderr } = await as(...args);
        expect({ args, code, stderr }).toEqual({
          args,
          code: 0,
          stderr: "Payloads and results are left out: this user of the database may not read them.\n",
        });
        expect(stdout).not.toContain("s3cret");
      }
      expect((await as("retry", id, "--yes")).stderr).toContain("the database user lacks a right");
      expect((await as("audit")).stderr).toContain("the database user lacks a right");
    });

    it("refuse what is no role with the one that was meant, and a user who does not exist", async () => {
      const role = await jobqueue("grant", "produser", "ana");
      expect(role).toMatchObject({ code: 2, stdout: "" });
      expect(role.stderr).toContain("Did you mean producer?");
      const user = await jobqueue("grant", "producer", "nobody_here");
      expect(user).toMatchObject({ code: 2, stdout: "" });
      expect(user.stderr).toContain("the database has no user 'nobody_here'");
      expect((await jobqueue("grant", "producer")).code).toBe(2);
    });

    it("know the roles of the store", async () => {
      const [check] = await database().query<{ text: string }>(
        `select string_agg(pg_get_constraintdef(c.oid), ' ') as text from pg_constraint c
         where c.conrelid = '${database().schema}.role_grants'::regclass and c.contype = 'c'`,
      );
      const roles = [...(check?.text ?? "").matchAll(/'([a-z]+)'/g)].map(([, role]) => role ?? "");
      expect(new Set(roles)).toEqual(new Set(STORE_ROLES));
    });
  });
});

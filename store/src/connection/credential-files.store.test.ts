import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { StoreError } from "../errors.ts";
import { currentSettings } from "./credential-files.ts";
import { Database } from "./database.ts";
import { type ConnectionSettings, parseStoreUrl } from "./settings.ts";

describe.each(Object.entries(inject("postgres")))("credentials in files, on %s", (major, adminUrl) => {
  let database: TestDatabase;
  let directory: string;
  let given: ConnectionSettings;
  const file = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text);

  beforeAll(async () => {
    database = await createTestDatabase(adminUrl);
    directory = await mkdtemp(join(tmpdir(), "jobqueue-credentials-"));
    given = { ...parseStoreUrl(database.url, { mode: "Disabled" }), credentialDirectory: directory };
  });

  afterAll(async () => {
    await database.drop();
    await rm(directory, { recursive: true });
  });

  it("a rotated user and password reach a running pool with its next connection, and its listener", async () => {
    const admin = new Database({ connection: given, applicationName: "admin", poolSize: 1 });
    const role = `rotated_${process.pid}_${major.replace(/\D/g, "")}`;
    await admin.query(`create role ${role} login superuser password 'first'`);
    await file("user", role);
    await file("password", "first\n");
    const pool = new Database({ connection: given, applicationName: role, poolSize: 2, onIdleError: () => {} });
    const who = async (): Promise<string | undefined> =>
      (await pool.query<{ who: string }>("select current_user as who"))[0]?.who;
    expect(await who()).toBe(role);

    await admin.query(`alter role ${role} password 'second'`);
    await file("password", "second\n");
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [role]);
    await expect.poll(who, { timeout: 10_000 }).toBe(role);

    const plain = parseStoreUrl(database.url);
    await file("user", plain.user);
    await file("password", plain.password ?? "");
    await admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [role]);
    await expect.poll(who, { timeout: 10_000 }).toBe(plain.user);
    const hints = await pool.listen({ onHint: () => {} });
    await expect.poll(() => hints.hearing, { timeout: 10_000 }).toBe(true);
    await hints.stop();
    await pool.close();
    await admin.query(`drop role ${role}`);
    await admin.close();
  });

  it("a URL in a file is the whole address; TLS stays what it was", async () => {
    await file("uri", "postgres://a:b@elsewhere:6432/app?sslmode=disable\n");
    await file("user", "c");
    await rm(join(directory, "password"), { force: true });
    await file("ca.crt", "PEM");
    const settings = { ...given, tls: { mode: "VerifyFull" } } as const;
    expect(currentSettings(settings)).toEqual({
      host: "elsewhere",
      port: 6432,
      database: "app",
      user: "c",
      password: "b",
      tls: { mode: "VerifyFull", ca: "PEM" },
      credentialDirectory: directory,
    });
  });

  it("a URL that cannot be used says so without repeating it, and is tried anew", async () => {
    await file("uri", "mysql://a:hunter2@elsewhere/app");
    const pool = new Database({ connection: given, applicationName: "broken" });
    const error: unknown = await pool.query("select 1").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "invalid_settings" });
    expect(String(error)).not.toContain("hunter2");
    await rm(join(directory, "uri"));
    await rm(join(directory, "user"));
    await rm(join(directory, "ca.crt"));
    expect(await pool.query("select 1 as one")).toEqual([{ one: 1 }]);
    await pool.close();
  });
});

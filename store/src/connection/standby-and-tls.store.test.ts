import { chownSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestAuthority } from "../../../test/support/postgres/certificate.ts";
import { POSTGRES_MAJORS, PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "./database.ts";
import { parseStoreUrl, type TlsSettings } from "./settings.ts";

const opened: Database[] = [];
afterAll(async () => {
  await Promise.all(opened.map(async (database) => database.close()));
});

function connect(url: string, tls?: TlsSettings, host?: string): Database {
  const settings = parseStoreUrl(url, tls);
  const database = new Database({
    connection: { ...settings, host: host ?? settings.host },
    applicationName: "standby and TLS test",
  });
  opened.push(database);
  return database;
}

describe.each(POSTGRES_MAJORS)("PostgreSQL %i", (major) => {
  let server: PostgresServer;
  let ca: string;
  beforeAll(async () => {
    const authority = new TestAuthority();
    ca = authority.certificate;
    const { certificate, key } = authority.issue("localhost");
    server = await PostgresServer.create(major);
    await server.stop();
    const data = join(server.directory, "data");
    for (const [file, text] of [
      ["server.crt", certificate],
      ["server.key", key],
    ] as const) {
      writeFileSync(join(data, file), text, { mode: 0o600 });
      if (process.getuid?.() === 0) chownSync(join(data, file), 65_534, 65_534);
    }
    writeFileSync(join(data, "postgresql.auto.conf"), "ssl = on\n");
    await server.start();
  });
  afterAll(async () => {
    await Promise.all(opened.splice(0).map(async (database) => database.close()));
    await server.destroy();
  });

  const encrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

  it("VerifyFull accepts a server whose certificate and name are right", async () => {
    const database = connect(server.url(), { mode: "VerifyFull", ca }, "localhost");
    expect(await database.query(encrypted)).toEqual([{ ssl: true }]);
  });

  it("VerifyFull refuses a name that the certificate does not have, VerifyCA accepts it", async () => {
    const refused = connect(server.url(), { mode: "VerifyFull", ca }).query(encrypted);
    await expect(refused).rejects.toMatchObject({ code: "access_denied", retry: "never" });
    expect(await connect(server.url(), { mode: "VerifyCA", ca }).query(encrypted)).toEqual([{ ssl: true }]);
  });

  it.each(["VerifyFull", "VerifyCA"] as const)("%s refuses a certificate of an unknown authority", async (mode) => {
    const refused = connect(server.url(), { mode }, "localhost").query(encrypted);
    await expect(refused).rejects.toMatchObject({ code: "access_denied" });
    await expect(refused).rejects.toThrow(/certificate/);
  });

  it("EncryptOnly encrypts and checks nothing, Disabled does not encrypt", async () => {
    expect(await connect(server.url(), { mode: "EncryptOnly" }).query(encrypted)).toEqual([{ ssl: true }]);
    expect(await connect(server.url(), { mode: "Disabled" }).query(encrypted)).toEqual([{ ssl: false }]);
  });

  it("a server that is only a standby is refused on every new connection, until it is promoted", async () => {
    await server.stop();
    const signal = join(server.directory, "data/standby.signal");
    writeFileSync(signal, "");
    if (process.getuid?.() === 0) chownSync(signal, 65_534, 65_534);
    await server.start();
    const database = connect(server.url());
    const refused = database.query("select 1");
    await expect(refused).rejects.toMatchObject({ code: "not_primary", retry: "reconnect" });
    await expect(refused).rejects.toThrow("this server is a standby: connect to the primary");
    await server.stop();
    rmSync(signal);
    await server.start();
    expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROLES } from "./auth/scopes.ts";
import { isLoopback, parseConfig } from "./config.ts";

const env = { DATABASE_URL: "postgres://admin:secret@db.example:6543/shop" };

function problemsOf(argv: readonly string[], changes: Record<string, string | undefined> = {}): readonly string[] {
  const parsed = parseConfig(argv, { ...env, ...changes });
  return parsed.ok ? [] : parsed.problems;
}

function configOf(argv: readonly string[], changes: Record<string, string | undefined> = {}) {
  const parsed = parseConfig(argv, { ...env, ...changes });
  if (!parsed.ok) throw new Error(parsed.problems.join("; "));
  return parsed.config;
}

describe("the settings of the admin server", () => {
  it("need a store and nothing else: on this machine people may look, and keys work", () => {
    expect(configOf([])).toMatchObject({
      schema: "jobqueue",
      host: "127.0.0.1",
      port: 8090,
      auth: ["keys"],
      anonymous: ROLES.viewer,
      poolSize: 8,
      statementTimeoutMs: 10_000,
    });
    expect(configOf([]).anonymous).not.toContain("payloads:read");
  });

  it("open nothing on an address that others reach unless it is said who is let in (S19)", () => {
    expect(problemsOf(["--listen", "0.0.0.0:8090"]).join()).toContain("can be reached from elsewhere");
    expect(problemsOf(["--listen=[::]:8090", "--auth", "none"]).join()).toContain("would let everybody in");
    expect(configOf(["--listen", "0.0.0.0:8090", "--auth", "keys"])).toMatchObject({ auth: ["keys"], anonymous: [] });
    expect(configOf(["--listen", "[::]:80", "--auth", "none", "--anonymous", "viewer"])).toMatchObject({
      host: "::",
      port: 80,
      auth: [],
      anonymous: ROLES.viewer,
    });
  });

  it("take the store from files of a directory, alone or with the parts of its address", () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-admin-"));
    try {
      const told = { DATABASE_URL: "", JOBQUEUE_STORE_DIRECTORY: directory };
      expect(problemsOf([], told).join()).toContain(
        "JOBQUEUE_STORE_DIRECTORY (or --store-directory): does not say the host, the database, the user of the store",
      );
      const parts = { ...told, JOBQUEUE_STORE_HOST: "db", JOBQUEUE_STORE_DATABASE: "shop" };
      writeFileSync(join(directory, "user"), "ana\n");
      writeFileSync(join(directory, "password"), "secret\n");
      expect(configOf([], parts).connection).toMatchObject({
        host: "db",
        port: 5432,
        database: "shop",
        user: "ana",
        password: "secret",
        tls: { mode: "VerifyFull" },
        credentialDirectory: directory,
      });
      writeFileSync(join(directory, "uri"), "postgres://u:p@elsewhere:6432/d?sslmode=disable");
      expect(configOf([], { ...told, JOBQUEUE_TLS_MODE: "EncryptOnly" }).connection).toMatchObject({
        host: "elsewhere",
        user: "ana",
        tls: { mode: "EncryptOnly" },
      });
      writeFileSync(join(directory, "uri"), "mysql://u:hunter2@elsewhere/d");
      expect(problemsOf([], told).join()).toContain("write postgres://");
      expect(problemsOf([], told).join()).not.toContain("hunter2");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("have a word for every address of the machine, which is not one of this machine only", () => {
    expect(configOf(["--listen", "*:8090", "--auth", "keys"]).host).toMatch(/^(::|0\.0\.0\.0)$/);
    expect(problemsOf(["--listen", "*:8090"]).join()).toContain("can be reached from elsewhere");
  });

  it("that say who is let in let nobody else in, on any address", () => {
    expect(configOf(["--auth", "keys,kubernetes", "--namespace", "shop"])).toMatchObject({
      auth: ["keys", "kubernetes"],
      anonymous: [],
      namespace: "shop",
    });
    expect(configOf(["--anonymous", "none"]).anonymous).toEqual([]);
  });

  it.each([
    [["--port", "1"], "--port is not a flag of the admin server"],
    [["--listen", "8090"], "must be an address and a port"],
    [["--listen", "h:70000"], "must be an address and a port"],
    [["--auth", "ldap"], "must be one of keys, kubernetes"],
    [["--auth", "kubernetes"], "POD_NAMESPACE is missing"],
    [["--anonymous", "everything"], 'has "everything", which is no scope'],
    [["--pool-size", "1"], "must be a whole number from 2 to 100"],
    [["--statement-timeout-seconds", "1e2"], "must be a whole number from 1 to 300"],
    [["--log-level", "loud"], "must be one of silent"],
    [["--tls-mode", "off"], "must be one of VerifyFull"],
    [["--tls-ca-file", "/nowhere/ca.pem"], "JOBQUEUE_TLS_CA_FILE|--tls-ca-file"],
    [["--store-url", "mysql://x"], "write postgres://"],
    [["--schema"], "--schema needs a value"],
  ])("%j is refused with a sentence", (argv, words) => {
    expect(problemsOf(argv).join("\n")).toMatch(new RegExp(words));
  });

  it("never repeat the store's URL", () => {
    expect(problemsOf([], { DATABASE_URL: "postgres://u:secret@h:1/d?host=evil" }).join()).not.toContain("secret");
    expect(problemsOf([], { DATABASE_URL: "" }).join()).toContain("DATABASE_URL (or --store-url) is missing");
  });

  it.each([
    ["127.0.0.1", true],
    ["127.8.9.1", true],
    ["localhost", true],
    ["::1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["127.0.0.1.example.org", false],
    ["10.0.0.1", false],
  ])("%s is an address of this machine only: %s", (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });
});

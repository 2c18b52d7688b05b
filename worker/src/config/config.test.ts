import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig, settingsHelp } from "./config.ts";
import { SETTINGS } from "./settings.ts";

const env = {
  DATABASE_URL: "postgres://app:secret@db.example:6543/app",
  JOBQUEUE_QUEUES: "high,default,low",
  JOBQUEUE_HANDLERS: "handlers.yaml",
};

function problemsOf(changes: Record<string, string | undefined>, argv: readonly string[] = []): readonly string[] {
  try {
    readConfig({ ...env, ...changes }, argv);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("the configuration of a worker", () => {
  it("has a default for everything but store, queues and handlers", () => {
    expect(readConfig(env, [])).toEqual({
      connection: {
        host: "db.example",
        port: 6543,
        database: "app",
        user: "app",
        password: "secret",
        tls: { mode: "VerifyFull" },
      },
      schema: "jobqueue",
      queues: ["high", "default", "low"],
      handlerFiles: ["handlers.yaml"],
      slots: 10,
      prefetch: 2000,
      leaseSeconds: 30,
      drainTimeoutSeconds: 30,
      abortGraceSeconds: 5,
      loopStallBudgetSeconds: 30,
      hungAfterSeconds: 60,
      sweepSeconds: 10,
      httpPort: 8080,
      logLevel: "info",
    });
  });

  it("takes a flag over its variable, in either form", () => {
    const config = readConfig({ ...env, JOBQUEUE_SLOTS: "3", LOG_LEVEL: "" }, ["--slots", "7", "--queues=low"]);
    expect(config.slots).toBe(7);
    expect(config.queues).toEqual(["low"]);
    expect(config.logLevel).toBe("info");
  });

  it("takes TLS from the URL, and from the settings before that", () => {
    const url = `${env.DATABASE_URL}?sslmode=disable`;
    expect(readConfig({ ...env, DATABASE_URL: url }, []).connection.tls.mode).toBe("Disabled");
    expect(readConfig({ ...env, DATABASE_URL: url, JOBQUEUE_TLS_MODE: "VerifyCA" }, []).connection.tls.mode).toBe(
      "VerifyCA",
    );
  });

  it.each([
    { what: "no store", changes: { DATABASE_URL: undefined }, problem: "DATABASE_URL (or --store-url) is missing" },
    { what: "no queues", changes: { JOBQUEUE_QUEUES: undefined }, problem: "JOBQUEUE_QUEUES (or --queues) is missing" },
    {
      what: "no handlers",
      changes: { JOBQUEUE_HANDLERS: "" },
      problem: "JOBQUEUE_HANDLERS (or --handlers) is missing",
    },
    {
      what: "a wrong URL",
      changes: { DATABASE_URL: "mysql://u@h/d" },
      problem: "DATABASE_URL: the store's URL starts with mysql:",
    },
    { what: "a queue with capitals", changes: { JOBQUEUE_QUEUES: "high,Low" }, problem: 'JOBQUEUE_QUEUES names "Low"' },
    { what: "a queue twice", changes: { JOBQUEUE_QUEUES: "a,b,a" }, problem: "JOBQUEUE_QUEUES names a queue twice" },
    {
      what: "an empty item",
      changes: { JOBQUEUE_QUEUES: "a,,b" },
      problem: "JOBQUEUE_QUEUES must be a list separated by commas",
    },
    {
      what: "too many slots",
      changes: { JOBQUEUE_SLOTS: "5000" },
      problem: "JOBQUEUE_SLOTS must be a whole number from 1 to 1000",
    },
    {
      what: "a number that is none",
      changes: { JOBQUEUE_SLOTS: "1e2" },
      problem: "JOBQUEUE_SLOTS must be a whole number",
    },
    {
      what: "an unknown TLS mode",
      changes: { JOBQUEUE_TLS_MODE: "prefer" },
      problem: "JOBQUEUE_TLS_MODE must be one of VerifyFull",
    },
    {
      what: "a CA file that is not there",
      changes: { JOBQUEUE_TLS_CA_FILE: "/no/such/ca" },
      problem: "JOBQUEUE_TLS_CA_FILE cannot be read",
    },
    {
      what: "a hang before the budget",
      changes: { JOBQUEUE_HUNG_AFTER_SECONDS: "20" },
      problem: "JOBQUEUE_HUNG_AFTER_SECONDS must be more than JOBQUEUE_LOOP_STALL_BUDGET_SECONDS",
    },
  ])("refuses $what and names the variable", ({ changes, problem }) => {
    const problems = problemsOf(changes);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems.join()).not.toContain("secret");
  });

  it("takes the address in parts, and what the files of a directory say before all else", () => {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-worker-"));
    const { DATABASE_URL: _url, ...without } = env;
    const parts = {
      ...without,
      JOBQUEUE_STORE_HOST: "db.example",
      JOBQUEUE_STORE_DATABASE: "app",
      JOBQUEUE_STORE_DIRECTORY: directory,
    };
    expect(() => readConfig(parts, [])).toThrow("JOBQUEUE_STORE_DIRECTORY: does not say the user of the store");
    writeFileSync(join(directory, "user"), "shop");
    writeFileSync(join(directory, "password"), "p@ss\n");
    expect(readConfig(parts, []).connection).toMatchObject({
      host: "db.example",
      port: 5432,
      user: "shop",
      password: "p@ss",
      tls: { mode: "VerifyFull" },
      credentialDirectory: directory,
    });
    writeFileSync(join(directory, "uri"), "postgres://other@elsewhere/x");
    expect(readConfig({ ...env, JOBQUEUE_STORE_DIRECTORY: directory }, []).connection).toMatchObject({
      host: "elsewhere",
      user: "shop",
    });
    rmSync(directory, { recursive: true });
  });

  it("reports all problems at once", () => {
    expect(
      problemsOf({ DATABASE_URL: "", JOBQUEUE_SLOTS: "x", JOBQUEUE_LEASE_SECONDS: "1" }, ["--bogus", "--schema="]),
    ).toEqual([
      expect.stringContaining("--bogus is not known"),
      expect.stringContaining("--schema needs a value"),
      expect.stringContaining("JOBQUEUE_SLOTS"),
      expect.stringContaining("JOBQUEUE_LEASE_SECONDS"),
      expect.stringContaining("DATABASE_URL (or --store-url) is missing"),
    ]);
  });

  it("documents every setting in the help", () => {
    const help = settingsHelp();
    for (const { env: variable } of Object.values(SETTINGS)) expect(help).toContain(variable);
  });
});

import { globSync } from "node:fs";
import {
  claim,
  configureStore,
  Database,
  enqueueMany,
  fail,
  hold,
  listWorkers,
  parseStoreUrl,
  registerWorker,
} from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { Stage } from "../../../worker/src/testing/stage.ts";
import { LONG_LEASE } from "../../../worker/src/testing/worker-process.ts";
import { runJobqueue } from "../testing/run-jobqueue.ts";

const [adminUrl = ""] = Object.values(inject("postgres")).slice(-1);
const ACT = { actor: "test", reason: "test" };

interface Found {
  readonly fault: string;
  readonly says: string;
  readonly remedy: string;
}

/** What the real command finds in a store. */
async function doctor(url: string, env: Readonly<Record<string, string>> = {}): Promise<readonly Found[]> {
  const { code, stdout, stderr } = await runJobqueue(["doctor", "-o", "json"], { env: { DATABASE_URL: url, ...env } });
  expect(stderr).toBe("");
  const { faults } = JSON.parse(stdout) as { faults: readonly Found[] };
  expect(code).toBe(faults.length === 0 ? 0 : 12);
  return faults;
}
const only = (faults: readonly Found[]): string[] => faults.map(({ fault }) => fault);

describe("jobqueue doctor on set-ups that are broken", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("finds nothing in a store that works, with a worker that is busy and a hold that is new", async () => {
    await stage.worker({ queues: "default", env: LONG_LEASE });
    await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await hold(stage.database, { queue: "other", name: "ana", reason: "x", actor: "ana", source: "cli" });
    expect(await doctor(stage.databaseUrl)).toEqual([]);
    const { code, stdout } = await runJobqueue(["doctor"], { env: { DATABASE_URL: stage.databaseUrl } });
    expect(code).toBe(0);
    expect(stdout).toContain("none of 11 common faults was found");
  });

  it("noWorker: jobs wait in a queue whose name nobody serves", async () => {
    await stage.worker({ queues: "mailer", env: LONG_LEASE });
    await stage.enqueue({ queue: "mailers", kind: "quick" });
    const faults = await doctor(stage.databaseUrl);
    expect(only(faults)).toEqual(["noWorker"]);
    expect(faults[0]?.says).toContain("mailers");
    expect(faults[0]?.remedy).toContain("jobqueue workers --queue mailers --all");
  });

  it("noHandler: the worker of the queue has no handler of that name", async () => {
    await stage.worker({ queues: "mailers", env: LONG_LEASE });
    await stage.enqueue({ queue: "mailers", kind: "misspelt" });
    const faults = await eventually("the job to be known as one nobody handles", async () => {
      const found = await doctor(stage.databaseUrl);
      return found.length > 0 ? found : undefined;
    });
    expect(only(faults)).toEqual(["noHandler"]);
    expect(faults[0]?.remedy).toContain("jobqueue why mailers");
  });

  it("stopped: somebody set the queue's limit to none at once", async () => {
    await stage.worker({ queues: "mailers", env: LONG_LEASE });
    const env = { DATABASE_URL: stage.databaseUrl };
    await runJobqueue(["configure", "mailers", "--max-running", "0", "--reason", "a test"], { env });
    await stage.enqueue({ queue: "mailers", kind: "quick" });
    const faults = await doctor(stage.databaseUrl);
    expect(only(faults)).toEqual(["stopped"]);
    expect(faults[0]?.remedy).toContain("jobqueue configure mailers --max-running");
  });

  it("hungWorkers: a handler blocks the loop of its worker for longer than it may", async () => {
    await stage.worker({
      env: {
        JOBQUEUE_LEASE_SECONDS: "60",
        JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1",
        JOBQUEUE_HUNG_AFTER_SECONDS: "600",
      },
    });
    await stage.enqueue({ kind: "block-until", payload: { file: stage.path("go") } });
    await eventually("the store to show a blocked loop", async () =>
      (await listWorkers(stage.database))[0]?.verdict === "loop_blocked" ? true : undefined,
    );
    const faults = await doctor(stage.databaseUrl);
    expect(only(faults)).toEqual(["hungWorkers"]);
    expect(faults[0]?.says).toContain("(loop blocked)");
    stage.touch("go");
  });

  it("staleJobs: a worker was killed, and the store leaves recovery to people", async () => {
    await configureStore(stage.database, { recovery: "report" }, ACT);
    const worker = await stage.worker();
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await stage.jobIn("running", id);
    await worker.kill();
    const faults = await eventually("the job to be stale", async () => {
      const found = await doctor(stage.databaseUrl);
      return found.length > 0 ? found : undefined;
    });
    expect(only(faults)).toEqual(["staleJobs"]);
    expect(faults[0]?.says).toBe("1 running jobs have no live worker, and sweeps do not recover them (report).");
  });

  it("P13: vacuum: somebody switched autovacuum off for the table of jobs", async () => {
    await stage.database.query("alter table jobqueue.jobs set (autovacuum_enabled = off)");
    const faults = await doctor(stage.databaseUrl);
    expect(only(faults)).toEqual(["vacuum"]);
    expect(faults[0]?.remedy).toContain("alter table jobqueue.jobs reset (autovacuum_enabled)");
    await stage.database.query("alter table jobqueue.jobs reset (autovacuum_enabled)");
    expect(await doctor(stage.databaseUrl)).toEqual([]);
  });

  it("mixedVersions: workers of two versions live side by side", async () => {
    await stage.worker({ env: LONG_LEASE });
    await registerWorker(stage.database, { bootId: "old", version: "0.0.1", queues: ["default"], leaseSeconds: 600 });
    const faults = await doctor(stage.databaseUrl);
    expect(only(faults)).toEqual(["mixedVersions"]);
    expect(faults[0]?.says).toContain("0.0.1, ");
  });

  it("clock: the clock of this machine is a minute behind", async () => {
    const [library = ""] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
    const env = { LD_PRELOAD: library, FAKETIME: "-61s", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const faults = await doctor(stage.databaseUrl, env);
    expect(only(faults)).toEqual(["clock"]);
    expect(faults[0]?.says).toMatch(/^The clock of this machine is \d+s behind the database's\.$/);
  });
});

describe("jobqueue doctor on databases that are not what they should be", () => {
  it("schema: there is none, an older one, a newer one", async () => {
    const empty = await createTestDatabase(adminUrl, { migrated: false });
    const other = await createTestDatabase(adminUrl);
    const database = new Database({ connection: parseStoreUrl(other.url), applicationName: "test", poolSize: 1 });
    try {
      expect(await doctor(empty.url)).toMatchObject([
        { fault: "schema", remedy: expect.stringContaining("migrate") as string },
      ]);
      await database.query(
        "insert into jobqueue.migrations select max(version) + 1, 'of tomorrow' from jobqueue.migrations",
      );
      expect((await doctor(other.url))[0]?.says).toContain("newer than");
      await database.query("delete from jobqueue.migrations where version > 5");
      expect((await doctor(other.url))[0]?.says).toMatch(/^The schema has version 5, and this command wants \d+\.$/);
    } finally {
      await database.close();
      await Promise.all([empty, other].map((one: TestDatabase) => one.drop()));
    }
  });

  describe("a server of its own", () => {
    let server: PostgresServer;
    let url: string;
    beforeAll(async () => {
      server = await PostgresServer.create(18, { max_prepared_transactions: "2" });
      // A day and an hour ago somebody paused a queue, and prepared a transaction.
      server.setClock(-90_000);
      await server.restart();
      ({ url } = await createTestDatabase(server.url()));
      const database = new Database({ connection: parseStoreUrl(url), applicationName: "test", poolSize: 1 });
      await hold(database, { queue: "mailers", name: "ana", reason: "SMTP is down", actor: "ana", source: "cli" });
      await database.transaction(async (session) => {
        await session.query("select count(*) from jobqueue.jobs");
        await session.query("prepare transaction 'left behind'");
      });
      await database.close();
      await server.stop();
      server.setClock(0);
      await server.start();
    });
    afterAll(async () => server.destroy());

    it("forgottenHold and oldSnapshot: a hold and a prepared transaction of yesterday", async () => {
      const faults = await doctor(url);
      expect(only(faults)).toEqual(["forgottenHold", "oldSnapshot"]);
      expect(faults[0]?.says).toContain("mailers (ana, by ana)");
      expect(faults[1]?.says).toContain("prepared transaction left behind");
      const { stdout } = await runJobqueue(["doctor"], { env: { DATABASE_URL: url } });
      expect(stdout).toContain("\n  jobqueue holds, then: jobqueue resume QUEUE\n");
      expect((await runJobqueue(["doctor", "-o", "name"], { env: { DATABASE_URL: url } })).stdout).toBe(
        "forgottenHold\noldSnapshot\n",
      );
    });

    it("a standby is refused with what to do: the address leads to a server that cannot be written", async () => {
      const standby = await server.createStandby({ max_prepared_transactions: "2" });
      try {
        const there = new URL(url);
        there.port = String(standby.port);
        const { code, stdout, stderr } = await runJobqueue(["doctor"], { env: { DATABASE_URL: there.href } });
        expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
        expect(stderr).toContain("this server is a standby: connect to the primary");
      } finally {
        await standby.destroy();
      }
    });
  });

  it("what keeps it from looking is a failure that says what to do: nobody listens, or there is no such database", async () => {
    const nobody = await runJobqueue(["doctor"], {
      env: { DATABASE_URL: "postgres://a:b@127.0.0.1:1/c?sslmode=disable" },
    });
    expect(nobody).toMatchObject({ code: 4, stdout: "" });
    expect(nobody.stderr).toContain("The address comes from DATABASE_URL.");
    const url = new URL(adminUrl);
    url.pathname = "/not_there";
    const missing = await runJobqueue(["doctor"], { env: { DATABASE_URL: url.href } });
    expect(missing).toMatchObject({ code: 4, stdout: "" });
  });
});

describe("jobqueue report", () => {
  it("has what somebody who helps needs, and no secret, payload, result, error, label or key of a job", async () => {
    const stage = await Stage.create(adminUrl);
    const secret = (what: string): string => `secret-${what}-${crypto.randomUUID()}`;
    const words = {
      payload: secret("payload"),
      result: secret("result"),
      error: secret("error"),
      label: secret("label"),
      tag: secret("tag"),
      unique: secret("unique"),
      concurrency: secret("concurrency"),
      progress: secret("progress"),
      schedule: secret("schedule"),
      finaliser: secret("finaliser"),
      password: secret("password"),
      apiKey: secret("api-key"),
    };
    try {
      const { database } = stage;
      await stage.worker({ queues: "mailers", env: LONG_LEASE });
      const seeded = {
        queue: "mailers",
        payload: { token: words.payload },
        labels: { customer: words.label },
        tag: words.tag,
        concurrencyKey: words.concurrency,
        finaliser: { kind: "quick", queue: "later", payload: { of: words.finaliser } },
        maxAttempts: 1,
      };
      const [done, dead] = (
        await enqueueMany(database, [
          { ...seeded, kind: "quick", payload: { echo: words.result }, uniqueKey: words.unique },
          { ...seeded, kind: "throw" },
          { ...seeded, kind: "misspelt" },
          {
            queue: "mailers",
            kind: "report",
            payload: { values: [words.progress], file: stage.path("go") },
          },
        ])
      ).map(({ id }) => id);
      await stage.jobIn("completed", done);
      await stage.jobIn("dead", dead);
      await enqueueMany(database, [{ queue: "by-hand", kind: "quick", maxAttempts: 2 }]);
      const workerId = await registerWorker(database, { bootId: "by hand", leaseSeconds: 600 });
      const claimed = await claim(database, { workerId, queues: ["by-hand"], max: 1 });
      await fail(
        database,
        claimed.map((job) => ({ ...job, error: words.error })),
      );
      const env = { DATABASE_URL: stage.databaseUrl };
      const put = await runJobqueue(
        [
          "schedule",
          "put",
          "nightly",
          "mailers",
          "quick",
          "--cron",
          "0 3 * * *",
          "--payload",
          JSON.stringify({ of: words.schedule }),
        ],
        { env },
      );
      expect(put).toMatchObject({ code: 0 });
      const made = await runJobqueue(["api-key", "create", "on-call", "--scope", "viewer"], { env });
      await runJobqueue(["pause", "held", "--reason", "told on purpose"], { env });

      const url = new URL(stage.databaseUrl);
      url.password = words.password;
      // The worker takes the job of a kind it does not know now and then, and gives it back at once: for that instant nothing
      // is pending.
      const report = async (args: readonly string[], databaseUrl: string): Promise<string> =>
        eventually("a report while the job that nobody handles is pending", async () => {
          const { code, stdout, stderr } = await runJobqueue(["report", ...args], {
            env: { DATABASE_URL: databaseUrl },
          });
          expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
          return stdout.includes("noHandler") ? stdout : undefined;
        });
      const stdout = await report([], url.href);
      for (const [what, word] of Object.entries({ ...words, apiKey: made.stdout.trim() }))
        expect({ what, found: stdout.includes(word) }).toEqual({ what, found: false });
      for (const wanted of [
        "mailers",
        "throw",
        "nightly",
        "told on purpose",
        "schemaVersion:",
        "noHandler",
        "oldSnapshots:",
        "vacuum:",
      ])
        expect(stdout).toContain(wanted);
      expect(stdout).not.toContain(`127.0.0.1:${url.port}`);
      expect(JSON.parse(await report(["-o", "json"], stage.databaseUrl))).toMatchObject({
        faults: expect.arrayContaining([expect.objectContaining({ fault: "noHandler" })]) as unknown,
        store: {
          counts: expect.arrayContaining([
            expect.objectContaining({ queue: "mailers", kind: "throw", state: "dead" }),
          ]) as unknown,
        },
      });
    } finally {
      await stage.end();
    }
  });
});

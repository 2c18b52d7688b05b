import { hostname, userInfo } from "node:os";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claim, complete, Database, fail, getJob, hold, parseStoreUrl, registerWorker } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { eventually } from "../../test/support/eventually.ts";
import { createTestDatabase, forEachPostgres, type TestDatabase } from "../../test/support/postgres/database.ts";
import { type Ended, runJobqueue, startJobqueue } from "./testing/run-jobqueue.ts";

const ACTOR = `${userInfo().username}@${hostname()}`;

forEachPostgres(({ adminUrl }) => {
  let testDatabase: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    testDatabase = await createTestDatabase(adminUrl);
    database = new Database({ connection: parseStoreUrl(testDatabase.url), applicationName: "cli test", poolSize: 2 });
  });

  afterAll(async () => {
    await database.close();
    await testDatabase.drop();
  });

  const jobqueue = async (args: string[], input?: string): Promise<Ended> =>
    runJobqueue(args, { env: { DATABASE_URL: testDatabase.url }, ...(input === undefined ? {} : { input }) });

  /** Runs it, expects success, and returns what it printed as JSON. */
  const json = async (...args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await jobqueue([...args, "-o", "json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as unknown;
  };

  /** A worker of the store that claims jobs of a queue. */
  const work = async (queue: string, max = 1) => {
    const workerId = await registerWorker(database, {
      bootId: crypto.randomUUID(),
      pod: "pool-1",
      namespace: "shop",
      node: "n1",
      queues: [queue],
    });
    return { workerId, jobs: await claim(database, { workerId, queues: [queue], max }) };
  };

  describe("jobqueue enqueue", () => {
    it("stores one job and says its id", async () => {
      const { code, stdout } = await jobqueue(["enqueue", "one", "welcome", "--payload", '{"to": "ana"}']);
      expect(code).toBe(0);
      const id = /^Enqueued job (\d+) of kind welcome in queue one\.\n$/.exec(stdout)?.[1] ?? "";
      expect(await getJob(database, id)).toMatchObject({
        queue: "one",
        kind: "welcome",
        payload: { to: "ana" },
        state: "pending",
      });
    });

    it("stores every option", async () => {
      const options = [
        "--priority",
        "-3",
        "--delay",
        "1h",
        "--unique-key",
        "august",
        "--max-attempts",
        "2",
        "--timeout",
        "90s",
      ];
      const { id } = (await json("enqueue", "options", "report", ...options)) as { id: string };
      const job = await getJob(database, id);
      expect(job).toMatchObject({
        state: "scheduled",
        priority: -3,
        uniqueKey: "august",
        maxAttempts: 2,
        timeoutMs: 90_000,
        payload: {},
      });
      expect((job?.runAt.getTime() ?? 0) - (job?.createdAt.getTime() ?? 0)).toBeCloseTo(3_600_000, -3);
    });

    it("stores what the job says about retries, results, limits and loss of its worker", async () => {
      const flags = ["--retry", "exponential:1s..1m~10%", "--result-ttl", "0s", "--on-worker-loss", "hold"];
      const more = ["--concurrency-key", "acme", "--label", "customer=acme", "--label", "app_id=7", "--tag", "t"];
      const { id } = (await json("enqueue", "options", "report", ...flags, ...more)) as { id: string };
      expect(await getJob(database, id)).toMatchObject({
        resultTtlSeconds: 0,
        concurrencyKey: "acme",
        labels: { customer: "acme", app_id: "7" },
        tag: "t",
      });
      const [row] = await database.query(`select options from ${database.schema}.v_jobs where id = $1`, [id]);
      expect(row).toEqual({
        options: {
          retry: { exponential: { initial_seconds: 1, max_seconds: 60, jitter_percent: 10 } },
          on_worker_loss: "hold",
        },
      });
    });

    it("with --replace gives the live job that has the unique key what this one says, unless it runs", async () => {
      const { id } = (await json("enqueue", "replaced", "k", "--unique-key", "r", "--delay", "1h")) as { id: string };
      const again = ["enqueue", "replaced", "k", "--unique-key", "r", "--replace", "--payload", '{"n": 2}'];
      expect((await jobqueue(again)).stdout).toBe(
        `Replaced job ${id}, which had this unique key and did not run yet.\n`,
      );
      expect(await getJob(database, id)).toMatchObject({ state: "pending", payload: { n: 2 } });
      await work("replaced");
      expect((await jobqueue(again)).stdout).toBe(`Nothing enqueued: running job ${id} already has this unique key.\n`);
    });

    it("with --unique-for keeps the key taken after the job is over (G2)", async () => {
      const once = ["enqueue", "kept", "k", "--unique-key", "kept", "--unique-for", "1h"];
      const { id } = (await json(...once)) as { id: string };
      const { jobs } = await work("kept");
      await complete(database, [{ id, leaseToken: jobs[0]?.leaseToken ?? "" }]);
      expect((await jobqueue(once)).stdout).toBe(`Nothing enqueued: job ${id} already has this unique key.\n`);
    });

    it("with --depends-on waits for other jobs, and is cancelled with them unless it says otherwise", async () => {
      const { id: first } = (await json("enqueue", "parents", "k")) as { id: string };
      const { id: strict } = (await json("enqueue", "children", "k", "--depends-on", first)) as { id: string };
      const { id: lenient } = (await json("enqueue", "children", "k", "--depends-on", `${first}:run`)) as {
        id: string;
      };
      expect(await getJob(database, strict)).toMatchObject({ state: "deferred" });
      expect((await jobqueue(["job", strict])).stdout).toContain("deferred: it waits for other jobs");
      expect((await jobqueue(["job", strict])).stdout).toMatch(
        new RegExp(`\\nWaits for: +job ${first}, pending: this one is cancelled unless that completes\\n`),
      );
      expect(await json("job", lenient)).toMatchObject({
        dependsOn: [{ job: first, state: "pending", policy: "run" }],
      });
      await jobqueue(["cancel", first]);
      expect(await getJob(database, strict)).toMatchObject({ state: "cancelled" });
      expect(await getJob(database, lenient)).toMatchObject({ state: "pending" });
    });

    it.each([
      [["--retry", "often"], "--retry cannot be read"],
      [["--label", "acme"], "--label takes NAME=VALUE"],
      [["--depends-on", "x"], "--depends-on takes the id of a job"],
      [["--depends-on", "7:maybe"], "--depends-on takes the id of a job"],
      [["--replace"], "--replace says what a unique key does, and there is none"],
      [["--unique-for", "1h"], "--unique-for says what a unique key does, and there is none"],
    ])("refuses %j with nothing stored", async (flags, message) => {
      const { code, stdout, stderr } = await jobqueue(["enqueue", "refused", "k", ...flags]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(message);
    });

    it("says when a live job already has the unique key, and adds nothing", async () => {
      const first = (await json("enqueue", "unique", "k", "--unique-key", "only")) as { id: string; outcome: string };
      expect(first.outcome).toBe("inserted");
      expect(await json("enqueue", "unique", "k", "--unique-key", "only")).toEqual({
        id: first.id,
        outcome: "duplicate",
      });
      const { stdout } = await jobqueue(["enqueue", "unique", "k", "--unique-key", "only"]);
      expect(stdout).toBe(`Nothing enqueued: live job ${first.id} already has this unique key.\n`);
    });

    it("stores many in a few statements, numbered, in order", async () => {
      const { code, stdout } = await jobqueue([
        "enqueue",
        "many",
        "k",
        "--count",
        "1201",
        "--payload",
        '{"n": {i}}',
        "-o",
        "name",
      ]);
      expect(code).toBe(0);
      const ids = stdout.trimEnd().split("\n");
      expect(ids).toHaveLength(1201);
      expect(await getJob(database, ids[0] ?? "")).toMatchObject({ payload: { n: 1 } });
      expect(await getJob(database, ids[1200] ?? "")).toMatchObject({ payload: { n: 1201 } });
    });

    it("reads the payload from standard input, and refuses what is not JSON with nothing stored", async () => {
      const { code } = await jobqueue(["enqueue", "stdin", "k", "--payload", "-"], '["from", "stdin"]');
      expect(code).toBe(0);
      const refused = await jobqueue(["enqueue", "stdin", "k", "--payload", "-"], "{");
      expect(refused).toMatchObject({ code: 2, stdout: "" });
      expect(refused.stderr).toContain("--payload is not JSON");
      expect(await json("jobs", "--queue", "stdin")).toMatchObject([{ payload: ["from", "stdin"] }]);
    });

    it("interrupted by Ctrl-C says how many jobs are stored, which is how many there are", async () => {
      const args = ["enqueue", "interrupted", "k", "--count", "5000000"];
      const running = startJobqueue(args, { DATABASE_URL: testDatabase.url });
      await eventually("progress", async () => (running.output().includes("jobs enqueued") ? true : undefined));
      expect(await running.stop("SIGINT")).toBe(130);
      const stored = /Interrupted: (\d+) of 5000000 jobs are stored\./.exec(running.output())?.[1];
      const { pending } = (await json("status", "interrupted")) as { pending: number };
      expect(String(pending)).toBe(stored);
    });

    it("passes on what the store refuses, as a usage failure", async () => {
      const { code, stderr } = await jobqueue(["enqueue", "Not A Queue", "k"]);
      expect(code).toBe(2);
      expect(stderr).toContain("cannot be the name of a queue");
      expect(stderr).not.toMatch(/\n\s+at /);
    });
  });

  describe("jobqueue status", () => {
    it("counts jobs by state, for people and for scripts", async () => {
      await json("enqueue", "counted", "k", "--count", "4");
      await json("enqueue", "counted", "k", "--delay", "1h");
      const { jobs } = await work("counted", 2);
      const [first] = jobs;
      await complete(database, [{ id: first?.id ?? "", leaseToken: first?.leaseToken ?? "" }]);
      const { code, stdout } = await jobqueue(["status", "counted"]);
      expect(code).toBe(0);
      const [head, row] = stdout.split("\n");
      expect(head).toBe("QUEUE     STATE    PENDING   SCHEDULED   RUNNING   FAILED   DEAD   STALE   OLDEST");
      expect(row).toMatch(/^counted +active +2 +1 +1 +0 +0 +0 +\d+s$/);
      expect(await json("status", "counted")).toMatchObject({
        queue: "counted",
        pending: 2,
        scheduled: 1,
        running: 1,
        paused: false,
        holds: [],
      });
    });

    it("lists all queues, as names or as YAML too", async () => {
      const names = (await jobqueue(["status", "-o", "name"])).stdout.trimEnd().split("\n");
      expect(names).toEqual(names.toSorted());
      expect(names).toContain("counted");
      const { stdout } = await jobqueue(["status", "-o", "yaml"]);
      expect(parse(stdout)).toEqual(
        expect.arrayContaining([expect.objectContaining({ queue: "counted", pending: 2 })]),
      );
    });

    it("ends with 3 for a queue that is not there, and suggests the nearest", async () => {
      const { code, stdout, stderr } = await jobqueue(["status", "conted"]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toBe("jobqueue: the store has no queue 'conted'\nDid you mean counted?\n");
    });

    it("uses no colours and cuts nothing where it does not print on a terminal", async () => {
      // oxlint-disable-next-line no-control-regex -- escape sequences are what must not be there
      expect((await jobqueue(["status"])).stdout).not.toMatch(/\u001b|…/);
    });
  });

  describe("jobqueue jobs", () => {
    it("lists the newest first, filtered, no more than asked for", async () => {
      await json("enqueue", "listed", "a", "--count", "3");
      await json("enqueue", "listed", "b", "--count", "2");
      const all = (await json("jobs", "--queue", "listed")) as { id: string; kind: string }[];
      expect(all.map((job) => job.kind)).toEqual(["b", "b", "a", "a", "a"]);
      expect(all.map((job) => Number(job.id))).toEqual(all.map((job) => Number(job.id)).toSorted((a, b) => b - a));
      expect(await json("jobs", "--queue", "listed", "--kind", "a", "--limit", "2")).toHaveLength(2);
      expect(await json("jobs", "--queue", "listed", "--state", "dead")).toEqual([]);
      const { stdout } = await jobqueue(["jobs", "--queue", "listed", "--limit", "2"]);
      expect(stdout).toMatch(
        /^ *ID +QUEUE +KIND +STATE +ATTEMPT +AGE\n.*listed +b +pending +0\/5 +\d+s\n.*\nThe newest 2; --limit shows more\.\n$/,
      );
    });

    it("reads more than a page of the store", async () => {
      const ids = (await jobqueue(["jobs", "--queue", "many", "--limit", "5000", "-o", "name"])).stdout
        .trimEnd()
        .split("\n");
      expect(new Set(ids).size).toBe(1201);
    });

    it("says so when there is none", async () => {
      expect((await jobqueue(["jobs", "--queue", "nothing-here"])).stdout).toBe("No such jobs.\n");
    });
  });

  describe("jobqueue job", () => {
    it("says what a running job is doing and where", async () => {
      const { id } = (await json("enqueue", "told", "k", "--payload", '{"a": 1}')) as { id: string };
      const { workerId } = await work("told");
      const { code, stdout } = await jobqueue(["job", id]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/running for \d+s, 1st of 5 attempts/);
      expect(stdout).toContain(`${workerId}, pod shop/pool-1 on node n1`);
      expect(stdout).toMatch(/Lease: +token \d+, until \S+ \(in \d+s\)/);
      expect(stdout).toMatch(/Payload: +\{\n +"a": 1\n +\}/);
      expect(await json("job", id)).toMatchObject({
        id,
        state: "running",
        next: expect.stringContaining("Its worker finishes it"),
      });
    });

    it("shows why a job is dead, without sending the control characters of its error", async () => {
      const { id } = (await json("enqueue", "failing", "k", "--max-attempts", "1")) as { id: string };
      const { jobs } = await work("failing");
      const error = "Error: no such mailbox\n  at \u001b[31mhandler";
      await fail(database, [{ id, leaseToken: jobs[0]?.leaseToken ?? "", error }]);
      const { stdout } = await jobqueue(["job", id]);
      expect(stdout).toMatch(
        /State: +dead for \d+s, 1st of 1 attempts\nNext: +Nothing by itself\. Its attempts are spent: [^\n]+, then retry\. jobqueue retry \d+\n/,
      );
      expect(stdout).toMatch(/Last error: +Error: no such mailbox\n +at \\u001b\[31mhandler\n/);
    });

    it("ends with 3 for a job that is not there and with 2 for what is no id", async () => {
      expect(await jobqueue(["job", "999999999"])).toMatchObject({ code: 3, stdout: "" });
      expect(await jobqueue(["job", "seven"])).toMatchObject({ code: 2, stdout: "" });
    });
  });

  describe("jobqueue pause and resume", () => {
    it("hold a queue with reason, actor and end, and let it go again (G11)", async () => {
      await json("enqueue", "held", "k", "--count", "2");
      const paused = await jobqueue(["pause", "held", "--reason", "SMTP relay is down", "--for", "1h30m"]);
      expect(paused).toMatchObject({ code: 0, stderr: "" });
      expect(paused.stdout).toContain("Queue held is paused for 1h30m");
      const view = (await json("status", "held")) as { paused: boolean; holds: { since: string; until: string }[] };
      expect(view).toMatchObject({
        paused: true,
        holds: [{ name: userInfo().username, reason: "SMTP relay is down", actor: ACTOR, source: "cli" }],
      });
      const [entry] = view.holds;
      expect(Date.parse(entry?.until ?? "") - Date.parse(entry?.since ?? "")).toBeCloseTo(5_400_000, -3);
      expect((await work("held")).jobs).toEqual([]);
      const { stdout } = await jobqueue(["status", "held"]);
      expect(stdout).toContain(`${ACTOR}: SMTP relay is down (for `);
      expect(stdout).toMatch(/\(for \d+s, ends in 8\dm\)\.$/m);

      const resumed = await jobqueue(["resume", "held"]);
      expect(resumed.code).toBe(0);
      expect(resumed.stdout).toContain("Queue held is active: workers start its jobs again.");
      expect((await work("held")).jobs).toHaveLength(1);
      expect((await jobqueue(["resume", "held"])).stdout).toBe("Queue held is not paused.\n");
    });

    it("pause tells how many jobs are still running, and pausing again changes the hold", async () => {
      await json("enqueue", "busy", "k");
      await work("busy");
      expect((await jobqueue(["pause", "busy", "--reason", "first", "--name", "n"])).stdout).toContain(
        "1 job was running and finishes.",
      );
      const again = await json("pause", "busy", "--reason", "second", "--name", "n");
      expect(again).toMatchObject({ queue: "busy", name: "n", reason: "second", until: null, changed: true });
      expect(await json("pause", "busy", "--reason", "second", "--name", "n")).toMatchObject({ changed: false });
      expect(await json("resume", "busy", "--name", "n")).toMatchObject({ paused: false, released: [{ name: "n" }] });
    });

    it("pause warns about a queue that was not there, and holds it all the same", async () => {
      const { code, stderr } = await jobqueue(["pause", "liste", "--reason", "typo"]);
      expect(code).toBe(0);
      expect(stderr).toBe(
        "The store had no queue 'liste' until now; it is paused from its first job on. Did you mean listed?\n",
      );
    });

    it("resume leaves the hold of a JobQueue alone, says what to do, and ends with 7", async () => {
      await json("enqueue", "declared", "k");
      const actor = "jobqueue-operator:shop/declared@1f9a2b3c";
      await hold(database, { queue: "declared", name: "spec", reason: "freeze", actor, source: "spec" });
      await json("pause", "declared", "--reason", "mine");
      const { code, stdout } = await jobqueue(["resume", "declared"]);
      expect(code).toBe(7);
      expect(stdout).toContain(`Released ${ACTOR}: mine`);
      expect(stdout).toContain("Queue declared is still paused by:\n  JobQueue shop/declared: freeze");
      expect(stdout).toContain(`kubectl -n shop patch jobqueue declared --type merge -p '{"spec":{"state":"Active"}}'`);
      expect((await jobqueue(["resume", "declared", "--name", "spec"])).code).toBe(0);
    });

    it("refuse the name 'spec', which is not theirs, and a name that holds nothing", async () => {
      expect(await jobqueue(["pause", "held", "--reason", "x", "--name", "spec"])).toMatchObject({ code: 2 });
      const { code, stderr } = await jobqueue(["resume", "held", "--name", "nobody"]);
      expect(code).toBe(3);
      expect(stderr).toContain("nothing named 'nobody' holds queue held");
    });

    it("hold every queue with '*', also one that appears later, which resuming one queue does not end", async () => {
      await json("pause", "*", "--reason", "moving the database", "--name", "move");
      await json("enqueue", "appears-later", "k");
      expect((await work("appears-later")).jobs).toEqual([]);
      expect((await jobqueue(["status"])).stdout).toContain(
        `Every queue is paused by ${ACTOR} (move): moving the database`,
      );
      const one = await jobqueue(["resume", "appears-later"]);
      expect(one.code).toBe(7);
      expect(one.stdout).toContain("jobqueue resume '*'");
      const all = await jobqueue(["resume", "*"]);
      expect(all.code).toBe(0);
      expect(all.stdout).toContain("Nothing holds '*' any more.\nStill paused by holds of their own: ");
      expect((await work("appears-later")).jobs).toHaveLength(1);
    });
  });

  describe("jobqueue migrate", () => {
    it("installs a schema, says the steps, and does nothing the second time", async () => {
      const empty = await createTestDatabase(adminUrl, { migrated: false });
      try {
        const env = { DATABASE_URL: empty.url };
        const before = await runJobqueue(["status"], { env });
        expect(before.code).toBe(5);
        expect(before.stderr).toContain("run `jobqueue migrate`");
        const first = await runJobqueue(["migrate", "--schema", "mine"], { env });
        expect(first).toMatchObject({ code: 0, stderr: "" });
        expect(first.stdout).toMatch(/^ {2}1 tables\n[^]*, schema mine is at version \d+ now \(new\)\.\n$/);
        const second = JSON.parse(
          (await runJobqueue(["migrate", "--schema", "mine", "-o", "json"], { env })).stdout,
        ) as { from: number; to: number };
        expect(second.from).toBe(second.to);
        expect((await runJobqueue(["status", "--schema", "mine"], { env })).code).toBe(0);
        expect((await runJobqueue(["status"], { env: { ...env, JOBQUEUE_SCHEMA: "mine" } })).code).toBe(0);
      } finally {
        await empty.drop();
      }
    });
  });

  describe("the store's address", () => {
    it("that nothing answers ends with 4, and the message holds no password", async () => {
      const { code, stdout, stderr } = await runJobqueue([
        "status",
        "--store-url",
        "postgres://ana:s3cret@127.0.0.1:1/shop?sslmode=disable",
      ]);
      expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
      expect(stderr).toContain("the store at 127.0.0.1:1/shop, schema jobqueue: nothing listens there");
      expect(stderr).not.toContain("s3cret");
    });

    it("with a database that does not exist ends with 4", async () => {
      const url = new URL(testDatabase.url);
      url.pathname = "/no_such_database";
      expect(await runJobqueue(["status"], { env: { DATABASE_URL: url.href } })).toMatchObject({ code: 4, stdout: "" });
    });

    it("that is malformed ends with 2", async () => {
      expect(await runJobqueue(["status", "--store-url", "mysql://a@b/c"])).toMatchObject({ code: 2, stdout: "" });
    });

    it("takes TLS from a worker's environment: VerifyFull is refused by a server without TLS", async () => {
      const { code, stderr } = await runJobqueue(["status"], {
        env: { DATABASE_URL: testDatabase.url, JOBQUEUE_TLS_MODE: "VerifyFull" },
      });
      expect(code).toBe(4);
      expect(stderr).toContain("TLS");
      expect(
        await runJobqueue(["status"], { env: { DATABASE_URL: testDatabase.url, JOBQUEUE_TLS_MODE: "Maybe" } }),
      ).toMatchObject({ code: 2 });
    });
  });

  it("jobqueue status loads neither worker nor operator", async () => {
    const coverage = mkdtempSync(join(tmpdir(), "jobqueue-cli-loaded-"));
    try {
      await runJobqueue(["status"], { env: { DATABASE_URL: testDatabase.url, NODE_V8_COVERAGE: coverage } });
      const loaded = readdirSync(coverage)
        .map((file) => readFileSync(join(coverage, file), "utf8"))
        .join("");
      expect(loaded).toContain("/store/src/index.ts");
      expect(loaded).not.toMatch(/\/(worker|operator)\/src\//);
    } finally {
      rmSync(coverage, { recursive: true });
    }
  });
});

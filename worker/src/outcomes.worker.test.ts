import { chmodSync, writeFileSync } from "node:fs";
import { getJob } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

describe("a worker", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("keeps results, and the errors of what threw, with the attempt spent", async () => {
    // All in one claim, so that they finish together: the one that cannot be stored must not keep the others.
    const [done, failed, unstorable, ...others] = await stage.enqueue(
      { kind: "quick", payload: { n: 1 } },
      { kind: "throw" },
      { kind: "unstorable", maxAttempts: 1 },
      ...Array.from({ length: 7 }, () => ({ kind: "quick" })),
    );
    await stage.worker({ env: LONG_LEASE });
    for (const id of others) await stage.jobIn("completed", id);
    expect(await stage.jobIn("completed", done)).toMatchObject({ result: { echo: { n: 1 } } });
    const failure = await stage.jobIn("failed", failed);
    expect(failure.attempt).toBe(1);
    expect(failure.lastError).toMatch(/^TypeError: no such document\n {4}at /);
    const dead = await stage.jobIn("dead", unstorable);
    expect(dead.lastError).toMatch(
      /^the result cannot be stored: result of job \d+\.text contains the character U\+0000/,
    );
  });

  it("gives a job of an unknown kind back untouched, reports it, and serves what is behind it", async () => {
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "1" } });
    const [first] = await stage.enqueue({ kind: "from-the-future" });
    expect(
      await worker.logged(
        "no handler knows this kind: the job was given back untouched and waits for a worker that does",
      ),
    ).toMatchObject({
      jobId: first,
      kind: "from-the-future",
    });
    const more = await stage.enqueue(...Array.from({ length: 30 }, () => ({ kind: "from-the-future" })), {
      kind: "quick",
    });
    await stage.jobIn("completed", more.at(-1));
    expect(
      await eventually(
        "it to be pending",
        async () => {
          const job = await getJob(stage.database, first ?? "");
          return job?.state === "pending" ? job : undefined;
        },
        { everyMs: 5 },
      ),
    ).toMatchObject({ attempt: 0, recoveries: 0, lastError: null });
    // It rests between its looks instead of claiming the same jobs in a hot loop.
    const seen = (await worker.metric('jobqueue_worker_claims_total{outcome="jobs"}')) ?? 0;
    expect(seen).toBeLessThan(40);
    const newcomer = await stage.worker({
      handlers: writeHandlers(stage, "future.mjs", `export default { "from-the-future": () => "handled" };`),
    });
    expect(await stage.jobIn("completed", first)).toMatchObject({ attempt: 1, result: "handled" });
    expect(newcomer.isRunning).toBe(true);
  });

  it("serves its queues strictly in the order given", async () => {
    await stage.enqueue(
      ...Array.from({ length: 3 }, (_, n) =>
        ["low", "default", "high"].map((queue) => ({ queue, kind: "quick", payload: { n } })),
      ).flat(),
    );
    await stage.worker({
      queues: "high,default,low",
      env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "1", JOBQUEUE_PREFETCH: "0" },
    });
    const order = await eventually("all nine", async () => {
      const rows = await stage.database.query<{ queue: string }>(
        "select queue from jobqueue.job_history order by claimed_at, id",
      );
      return rows.length === 9 ? rows.map((row) => row.queue) : undefined;
    });
    expect(order).toEqual([
      ...Array<string>(3).fill("high"),
      ...Array<string>(3).fill("default"),
      ...Array<string>(3).fill("low"),
    ]);
  });

  it("runs executables of handlers.yaml, which see neither the store's URL nor other settings of the worker", async () => {
    const script = stage.path("document.py");
    writeFileSync(
      script,
      `import hashlib, json, os, sys
payload = json.load(sys.stdin)
assert payload == json.load(open(os.environ["JOBQUEUE_PAYLOAD_FILE"]))
if "fail" in payload:
    print("cannot read", payload["fail"], file=sys.stderr)
    sys.exit(3)
json.dump({
    "sha256": hashlib.sha256(payload["text"].encode()).hexdigest(),
    "job": os.environ["JOBQUEUE_JOB_ID"], "attempt": os.environ["JOBQUEUE_ATTEMPT"], "token": os.environ["JOBQUEUE_LEASE_TOKEN"],
    "environment": sorted(os.environ),
}, open(os.environ["JOBQUEUE_RESULT_FILE"], "w"))
`,
    );
    chmodSync(script, 0o755);
    const manifest = writeHandlers(
      stage,
      "handlers.yaml",
      `handlers:
  document.checksum:
    command: [python3, ./document.py]
    env: { GREETING: hello }
    passEnv: [REGION]
`,
    );
    await stage.worker({ handlers: manifest, env: { ...LONG_LEASE, REGION: "eu", API_KEY: "secret" } });
    const [done, failed] = await stage.enqueue(
      { kind: "document.checksum", payload: { text: "abc" } },
      { kind: "document.checksum", payload: { fail: "a.txt" } },
    );
    const job = await stage.jobIn("completed", done);
    expect(job.result).toMatchObject({
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      job: done,
      attempt: "1",
      token: job.leaseToken,
    });
    // An interpreter may add variables of its own.
    const { environment } = job.result as { environment: string[] };
    expect(environment.filter((name) => name.startsWith("JOBQUEUE_"))).toEqual([
      "JOBQUEUE_ATTEMPT",
      "JOBQUEUE_JOB_ID",
      "JOBQUEUE_KIND",
      "JOBQUEUE_LEASE_TOKEN",
      "JOBQUEUE_PAYLOAD_FILE",
      "JOBQUEUE_QUEUE",
      "JOBQUEUE_RESULT_FILE",
    ]);
    expect(environment).toEqual(expect.arrayContaining(["GREETING", "PATH", "REGION"]));
    expect(environment).not.toContain("DATABASE_URL");
    expect(environment).not.toContain("API_KEY");
    expect(await stage.jobIn("failed", failed)).toMatchObject({
      attempt: 1,
      lastError: "exit code 3: cannot read a.txt",
    });
  });
});

function writeHandlers(stage: Stage, name: string, text: string): string {
  const file = stage.path(name);
  writeFileSync(file, text);
  return file;
}

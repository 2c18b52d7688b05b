import { readFileSync, writeFileSync } from "node:fs";
import { configurePool, listWorkers } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { processGone } from "./testing/process-gone.ts";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE, TEST_HANDLERS } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

describe("a worker whose handlers misbehave", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("W6: a handler that blocks the event loop for longer than the lease, but less than the budget, loses nothing", async () => {
    const worker = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "6" } });
    const other = await stage.worker({ env: LONG_LEASE });
    const ids = await stage.enqueue(
      { kind: "block", payload: { ms: 8_000 } },
      ...Array.from({ length: 5 }, () => ({ kind: "quick" })),
    );
    for (const id of ids) expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 0 });
    const lost = "the lease is lost: handlers are aborted";
    expect([...worker.entries(lost), ...other.entries(lost)]).toEqual([]);
  });

  it("W6: a loop blocked past its budget is seen in the store, beat fresh and loop old; if it turns again before the lease is over nothing is lost", async () => {
    const worker = await stage.worker({
      env: {
        JOBQUEUE_LEASE_SECONDS: "20",
        JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1",
        JOBQUEUE_HUNG_AFTER_SECONDS: "60",
      },
    });
    const [id] = await stage.enqueue({ kind: "block-until", payload: { file: stage.path("go") } });
    await stage.jobIn("running", id);
    const blocked = await eventually("the store to show a blocked loop", async () => {
      const [row] = await listWorkers(stage.database);
      return row?.verdict === "loop_blocked" ? row : undefined;
    });
    expect(blocked).toMatchObject({ isLive: true, renewing: false });
    expect(blocked.loopAgeMs).toBeGreaterThan(1_000);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 0,
      result: { pid: worker.pid },
    });
    await eventually("the store to show it healthy", async () =>
      (await listWorkers(stage.database))[0]?.verdict === "healthy" ? true : undefined,
    );
  });

  it("W6: how long its loop may stand still is what the store tells its pool, from one heartbeat to the next, and nothing is restarted for it", async () => {
    const pool = "shop/high";
    const env = {
      JOBQUEUE_LEASE_SECONDS: "9",
      JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1",
      JOBQUEUE_HUNG_AFTER_SECONDS: "60",
    };
    const worker = await stage.worker({ env: { ...env, JOBQUEUE_POOL: pool } });
    const tell = async (loopStallMs: number | null) =>
      configurePool(stage.database, pool, { loopStallMs }, { actor: "operator", reason: "spec.workers.health" });
    const look = async (what: string, wanted: (row: Awaited<ReturnType<typeof listWorkers>>[number]) => boolean) =>
      eventually(what, async () => (await listWorkers(stage.database)).find(wanted));
    await tell(600_000);
    const told = await look("a first heartbeat", () => true);
    await look("a heartbeat after it was told", ({ heartbeatAt }) => heartbeatAt > told.heartbeatAt);
    const [id] = await stage.enqueue({ kind: "block-until", payload: { file: stage.path("go") } });
    await stage.jobIn("running", id);
    const patient = await look("a beat of the blocked loop", ({ loopAgeMs }) => (loopAgeMs ?? 0) > 2_000);
    expect(patient).toMatchObject({ verdict: "healthy", renewing: true, isLive: true });
    await tell(null);
    await look("its own budget again", ({ verdict }) => verdict === "loop_blocked");
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 0,
      result: { pid: worker.pid },
    });
  });

  it("W6: a handler that blocks for longer than the budget loses the lease, and what it returns counts for nothing", async () => {
    const worker = await stage.worker({
      env: { JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1", JOBQUEUE_HUNG_AFTER_SECONDS: "60" },
    });
    const [id] = await stage.enqueue({ kind: "block-until", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const heir = await stage.worker({ env: LONG_LEASE });
    await heir.logged("started");
    stage.touch("go");
    await worker.logged("outcomes dropped: lease lost");
    await worker.logged("registered", 2);
    expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 1, result: { pid: heir.pid } });
  });

  it("W6: a handler that blocks for ever costs its process, which says why and leaves no program behind, and no job", async () => {
    const env = { JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1", JOBQUEUE_HUNG_AFTER_SECONDS: "3" };
    const manifest = stage.path("handlers.yaml");
    writeFileSync(
      manifest,
      "handlers: { program: { command: [sh, -c, 'echo $$ > pid; while :; do sleep 0.1; done'] } }",
    );
    const worker = await stage.worker({ env, handlers: `${TEST_HANDLERS},${manifest}` });
    await stage.enqueue({ kind: "program" });
    const pid = await eventually(
      "the program to run",
      async () => Number(readFileSync(stage.path("pid"), "utf8")) || undefined,
    );
    const [blocked] = await stage.enqueue({ kind: "block", payload: { ms: 3_600_000 }, maxAttempts: 1 });
    await worker.logged("started");
    const [waiting] = await stage.enqueue({ kind: "quick" });
    expect(await worker.exited).toEqual({ code: null, signal: "SIGKILL" });
    const postMortem = JSON.parse(worker.stderr.trim()) as object;
    expect(postMortem).toMatchObject({
      msg: expect.stringMatching(/^worker is hung and ends: the event loop has been blocked for \d+\.\d s$/) as string,
      slotsBusy: 2,
      running: expect.arrayContaining([expect.objectContaining({ jobId: blocked })]) as unknown,
    });
    await processGone(pid);
    // Others are not harmed, and the job that did it is lost to infrastructure, not failed.
    const heir = await stage.worker({ env });
    await stage.jobIn("completed", waiting);
    await heir.logged("started");
    expect(await stage.jobIn("running", blocked)).toMatchObject({ recoveries: 1, lastError: null });
  });

  it("a worker whose claims fail says so itself: not ready, alive, its row tells how long, until claims work again", async () => {
    const rename = async (from: string, to: string) =>
      stage.database.query(
        `do $$ begin execute (select format('alter function %s rename to ${to}', oid::regprocedure)
           from pg_proc where proname = '${from}'); end $$`,
      );
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_HUNG_AFTER_SECONDS: "31" } });
    const [first] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", first);
    await rename("claim_batch", "claim_batch_away");
    const [waiting] = await stage.enqueue({ kind: "quick" });
    await eventually(
      "the probe to say that claims fail",
      async () => {
        const { status, text } = await worker.probe("/readyz");
        return status === 503 && text === "claims fail, as the log says\n" ? true : undefined;
      },
      { timeoutMs: 90_000 },
    );
    expect((await worker.probe("/livez")).status).toBe(200);
    await eventually("its row to say the same, though it beats", async () => {
      const [row] = await listWorkers(stage.database);
      return row?.isLive === true && (row.lastClaimAgeMs ?? 0) > 25_000 ? true : undefined;
    });
    expect((await stage.jobIn("pending", waiting)).attempt).toBe(0);
    await rename("claim_batch_away", "claim_batch");
    await stage.jobIn("completed", waiting);
    expect((await worker.probe("/readyz")).status).toBe(200);
  });

  it("W7: a handler that ignores its timeout fails its attempt and leaves a stuck slot; the other slots go on", async () => {
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "2" } });
    const [stuck] = await stage.enqueue({
      kind: "stubborn",
      payload: { file: stage.path("go") },
      timeoutSeconds: 0.2,
      maxAttempts: 1,
    });
    const job = await stage.jobIn("dead", stuck);
    expect(job).toMatchObject({
      deadReason: "attempts",
      lastError: "timed out after 0.2 s; the handler ignored its abort signal",
    });
    expect(await worker.metric('jobqueue_worker_slots{state="stuck"}')).toBe(1);
    const ids = await stage.enqueue({ kind: "quick" }, { kind: "quick" });
    for (const id of ids) await stage.jobIn("completed", id);
    stage.touch("go");
    await worker.logged("the handler ended after its slot was given up; the slot is free again");
    expect(await worker.metric('jobqueue_worker_slots{state="stuck"}')).toBe(0);
  });

  it("W7: a worker whose slots are all stuck exits and says so", async () => {
    const worker = await stage.worker({ env: { JOBQUEUE_SLOTS: "1" } });
    await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("never") }, timeoutSeconds: 0.2 });
    expect(await worker.exited).toEqual({ code: 70, signal: null });
    expect(worker.stderr).toContain("all 1 slots are stuck: their handlers ignored the abort signal");
  });

  it("W8: a program that neither ends nor hears SIGTERM is killed at its timeout; its result counts for nothing and its slot is free", async () => {
    const manifest = stage.write(
      "handlers.yaml",
      `handlers:
  spin: { command: [sh, -c, 'trap "" TERM; echo 1 > "$JOBQUEUE_RESULT_FILE"; while :; do :; done'] }
  echo: { command: [cat] }
`,
    );
    const worker = await stage.worker({ handlers: manifest, env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "1" } });
    const [spin, next] = await stage.enqueue(
      { kind: "spin", timeoutSeconds: 0.5, maxAttempts: 1 },
      { kind: "echo", payload: { n: 1 } },
    );
    expect(await stage.jobIn("dead", spin)).toMatchObject({
      lastError: "timed out after 0.5 s",
      exitCode: 137,
      result: null,
    });
    expect(await stage.jobIn("completed", next)).toMatchObject({ result: { n: 1 } });
    expect(await worker.metric('jobqueue_worker_slots{state="stuck"}')).toBe(0);
  });

  it("W10: a worker whose claim loop stands still, while its event loop turns and its heart beats, exits and says so", async () => {
    const worker = await stage.worker({
      env: { ...LONG_LEASE, JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1", JOBQUEUE_HUNG_AFTER_SECONDS: "4" },
    });
    const [id] = await stage.enqueue({ kind: "stall-claim-loop" });
    await stage.jobIn("completed", id);
    await eventually("livez to fail, or the process to end", async () => {
      if (!worker.isRunning) return true;
      return (await worker.probe("/livez").catch(() => undefined))?.status === 503 || undefined;
    });
    expect(await worker.exited).toEqual({ code: 70, signal: null });
    expect(worker.stderr).toMatch(/the claim loop has stood still for \d+\.\d s/);
  });

  it("W9: a worker whose watchdog thread died exits", async () => {
    const worker = await stage.worker();
    await stage.enqueue({ kind: "kill-watchdog" });
    expect(await worker.exited).toEqual({ code: 71, signal: null });
    await worker.logged("the watchdog thread died: the worker ends, since nothing would renew its lease");
  });

  it("W13: a promise that a handler left alone is logged with its job, and every job goes on", async () => {
    const worker = await stage.worker({ env: LONG_LEASE });
    const [other, leaver] = await stage.enqueue({ kind: "sleep", payload: { ms: 300 } }, { kind: "leave-rejection" });
    expect(await worker.logged("a promise was rejected and nobody handled it; the worker goes on")).toMatchObject({
      jobId: leaver,
      kind: "leave-rejection",
      error: expect.stringContaining("nobody listens") as string,
    });
    await stage.jobIn("completed", other);
    expect(await stage.jobIn("completed", leaver)).toMatchObject({ result: "done" });
    expect(await worker.metric("jobqueue_worker_unhandled_rejections_total")).toBe(1);
  });

  it("W13: an exception that nothing caught ends the worker with 1; what it held goes back with no attempt spent", async () => {
    const worker = await stage.worker({ env: LONG_LEASE });
    const [bystander] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("never") } });
    await worker.logged("started");
    await stage.enqueue({ kind: "throw-later" });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(await stage.jobIn("pending", bystander)).toMatchObject({ attempt: 0, recoveries: 0 });
  });
});

import { deregisterWorker, getJob, listWorkers, recoverStale, retryJob } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE, type WorkerProcess } from "./testing/worker-process.ts";

/** As `worker-process.ts` sets them. */
const LEASE_MS = 4_000;
const SWEEP_MS = 500;

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("G8, W1: a job whose worker was killed runs again within lease + sweep + 5 s, without an operator, and finishes once", async () => {
    const first = await stage.worker();
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await first.logged("started");
    const second = await stage.worker({ env: LONG_LEASE });
    const killedAt = performance.now();
    await first.kill();
    await second.logged("started");
    expect(performance.now() - killedAt).toBeLessThan(LEASE_MS + SWEEP_MS + 5_000);
    stage.touch("go");
    const job = await stage.jobIn("completed", id);
    expect(job).toMatchObject({ attempt: 1, recoveries: 1, result: { pid: second.pid } });
    expect(await second.metric('jobqueue_worker_jobs_recovered_total{outcome="retried"}')).toBe(1);
    const rows = await stage.database.query("select id from jobqueue.job_history");
    expect(rows).toHaveLength(1);
  });

  it("G5, W2: a worker stopped past its lease changes nothing when it goes on; it aborts its handlers and registers anew", async () => {
    const zombie = await stage.worker();
    // One handler ends when it is aborted, the other returns a result later all the same.
    const [obedient, stubborn] = await stage.enqueue(
      { kind: "wait", payload: { file: stage.path("go") } },
      { kind: "stubborn", payload: { file: stage.path("go") } },
    );
    await zombie.logged("started", 2);
    const { workerId } = await zombie.logged("registered");
    zombie.signal("SIGSTOP");
    const heir = await stage.worker({ env: LONG_LEASE });
    await heir.logged("started", 2);
    zombie.signal("SIGCONT");
    await zombie.logged("aborted");
    const again = await zombie.logged("registered", 2);
    expect(again["workerId"]).not.toBe(workerId);
    expect(again["bootId"]).not.toBe((await zombie.logged("registered"))["bootId"]);
    const { token } = (await heir.logged("started")) as unknown as { token: string };
    const running = await getJob(stage.database, obedient ?? "");
    expect(running).toMatchObject({ state: "running", leaseToken: token });
    stage.touch("go");
    await zombie.logged("returns");
    for (const id of [obedient, stubborn]) {
      const job = await stage.jobIn("completed", id);
      expect(job).toMatchObject({ result: { pid: heir.pid }, attempt: 1, recoveries: 1, lastError: null });
    }
    // One by the handler that ended at its abort, one by the other: it returned only after the file was there.
    await zombie.logged("outcomes dropped: lease lost", 2);
    const dropped = zombie.entries("outcomes dropped: lease lost");
    expect(dropped.reduce((sum, entry) => sum + Number(entry["count"]), 0)).toBe(2);
    expect(zombie.isRunning).toBe(true);
    const [next] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", next);
    const pids = (await listWorkers(stage.database)).map((worker) => worker.pid);
    expect(new Set(pids)).toEqual(new Set([zombie.pid, heir.pid]));
  });

  /** Stops a worker until the database says that its lease has lapsed. */
  async function stopPastLease(worker: WorkerProcess): Promise<void> {
    worker.signal("SIGSTOP");
    await eventually(
      "its lease to lapse",
      async () => (await listWorkers(stage.database)).every((row) => !row.isLive) || undefined,
    );
  }

  it("W3: a worker stopped past its lease whose job nobody recovered: what its handler finished counts, and is not run again", async () => {
    // Its own first sweep comes within two seconds and the next one not in this test.
    const worker = await stage.worker({ env: { JOBQUEUE_SWEEP_SECONDS: "3600", JOBQUEUE_ABORT_GRACE_SECONDS: "30" } });
    const [id] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await worker.logged("started");
    await stopPastLease(worker);
    worker.signal("SIGCONT");
    await worker.logged("the lease is lost: handlers are aborted");
    await worker.logged("registered", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 0,
      result: { pid: worker.pid },
    });
    expect(worker.entries("started")).toHaveLength(1);
  });

  it("G5, W4: nor after a person's retry set the attempts back, so that both have the same number", async () => {
    const zombie = await stage.worker({ env: { JOBQUEUE_ABORT_GRACE_SECONDS: "30" } });
    const [id = ""] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await zombie.logged("started");
    await stopPastLease(zombie);
    expect(await recoverStale(stage.database, { policy: "fail" })).toMatchObject([{ id, outcome: "failed" }]);
    expect(await retryJob(stage.database, id, { actor: "alice", reason: "the worker was at fault" })).toBe("retried");
    const heir = await stage.worker({ env: LONG_LEASE });
    const { token } = await heir.logged("started");
    zombie.signal("SIGCONT");
    await zombie.logged("the lease is lost: handlers are aborted");
    stage.touch("go");
    await zombie.logged("outcomes dropped: lease lost");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      generation: 2,
      leaseToken: token,
      result: { pid: heir.pid },
    });
  });

  it("G5, W5: nor does the old attempt of a worker that claimed the very job again that it had lost", async () => {
    const worker = await stage.worker({
      env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "2", JOBQUEUE_ABORT_GRACE_SECONDS: "30" },
    });
    const [id] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const { workerId } = await worker.logged("registered");
    await deregisterWorker(stage.database, String(workerId));
    const { token } = await worker.logged("started", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 1, leaseToken: token });
    expect(await worker.logged("outcomes dropped: lease lost")).toMatchObject({ count: 1, jobIds: [id] });
  });

  it("W2: a worker stopped for longer than it may hang was not hung: it goes on", async () => {
    const worker = await stage.worker({
      env: { JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1", JOBQUEUE_HUNG_AFTER_SECONDS: "5" },
    });
    await worker.logged("registered");
    worker.signal("SIGSTOP");
    await eventually(
      "it to have been silent for longer",
      async () => (await listWorkers(stage.database)).every((row) => row.heartbeatAgeMs > 6_000) || undefined,
    );
    worker.signal("SIGCONT");
    await worker.logged("the lease is lost: handlers are aborted");
    const [id] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", id);
    expect(worker.isRunning).toBe(true);
  });

  it("W12: a job that bursts the heap of every worker is dead as poison after the third loss, and the queue goes on", async () => {
    const env = { POD_UID: "pod-1", NODE_OPTIONS: "--max-old-space-size=64" };
    const [bomb] = await stage.enqueue({ kind: "bomb" });
    const dead = stage.jobIn("dead", bomb, 90_000).then(() => true);
    // What Kubernetes does: a process that ends is started again, in the same container of the same pod.
    const restarts = async (): Promise<number> => {
      for (let started = 1; ; started++) {
        const worker = stage.spawn({ env });
        if (await Promise.race([dead, worker.exited.then(() => false)])) return started;
      }
    };
    // Three were lost, and the fourth found it out.
    expect(await restarts()).toBe(4);
    expect(await stage.jobIn("dead", bomb)).toMatchObject({
      deadReason: "poison",
      recoveries: 3,
      lastError: expect.stringMatching(/^poison: it lost 3 workers, the last was worker \d+$/) as string,
    });
    const [next] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", next);
  });

  it("W14: two processes with the same environment are two workers: neither keeps the other's lease", async () => {
    const env = { POD_NAME: "clone", POD_NAMESPACE: "default", NODE_NAME: "node" };
    const first = await stage.worker({ env });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await first.logged("started");
    const second = await stage.worker({ env: { ...env, ...LONG_LEASE } });
    const workers = await listWorkers(stage.database);
    expect(workers.map(({ pod, isLive }) => ({ pod, isLive }))).toEqual([
      { pod: "clone", isLive: true },
      { pod: "clone", isLive: true },
    ]);
    expect(new Set(workers.map(({ bootId }) => bootId)).size).toBe(2);
    first.signal("SIGSTOP");
    await second.logged("started");
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ recoveries: 1, result: { pid: second.pid } });
  });

  it("a worker that the store takes for gone aborts its handlers and registers anew", async () => {
    const worker = await stage.worker({ env: LONG_LEASE });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const { workerId } = await worker.logged("registered");
    await deregisterWorker(stage.database, String(workerId));
    await worker.logged("aborted");
    await worker.logged("registered", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ recoveries: 1, attempt: 1 });
    expect(await worker.metric('jobqueue_worker_leases_lost_total{reason="store_said_so"}')).toBe(1);
  });
});

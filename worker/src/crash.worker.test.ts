import { deregisterWorker, getJob, listWorkers } from "@jobqueue/store";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

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

import { type Job, listJobs, queueStats } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { PostgresProxy } from "@jobqueue/test/support/postgres/proxy.ts";
import { PostgresServer } from "@jobqueue/test/support/postgres/server.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";

const JOBS = 600;

describe("a database that goes away", () => {
  let server: PostgresServer;
  let stage: Stage;
  beforeEach(async () => {
    server = await PostgresServer.create(18);
    stage = await Stage.create(server.url());
  });
  afterEach(async () => {
    await stage.end();
    await server.destroy();
  });

  it("P1: restarts under load lose no job, fail none, and end no worker", async () => {
    const workers = await Promise.all([stage.worker(), stage.worker()]);
    await stage.enqueue(...Array.from({ length: JOBS }, () => ({ kind: "sleep", payload: { ms: 40 } })));
    for (const [done, mode] of [
      [JOBS / 6, "fast"],
      [JOBS / 2, "immediate"],
    ] as const) {
      await eventually(`${done} jobs to be completed`, async () => (await completedCount(stage)) >= done || undefined, {
        everyMs: 50,
      });
      await server.restart(mode);
    }
    await eventually("all jobs to be completed", async () => (await completedCount(stage)) === JOBS || undefined, {
      everyMs: 200,
    });
    const jobs = await allCompleted(stage);
    expect(new Set(jobs.map((job) => job.id)).size).toBe(JOBS);
    expect(jobs.filter((job) => job.lastError !== null || job.attempt !== 1)).toEqual([]);
    expect(workers.map((worker) => worker.isRunning)).toEqual([true, true]);
  });

  it("P2, G9: an outage longer than the lease fences the worker, restarts nothing, and its job runs again afterwards", async () => {
    const worker = await stage.worker();
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    await server.stop("immediate");
    await worker.logged("aborted");
    expect(await worker.probe("/livez")).toEqual({ status: 200, text: "ok\n" });
    expect((await worker.probe("/readyz")).status).toBe(503);
    expect(await worker.metric('jobqueue_worker_leases_lost_total{reason="not_renewed"}')).toBe(1);
    await server.start();
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 1,
      lastError: null,
      result: { pid: worker.pid },
    });
    expect((await worker.probe("/readyz")).status).toBe(200);
    expect(worker.isRunning).toBe(true);
  });

  it("P4: jobs of a claim that was carried out and whose answer was lost are not lost with it: the worker finds out and they run", async () => {
    const proxy = await PostgresProxy.create(stage.databaseUrl);
    try {
      const ids = await stage.enqueue({ kind: "quick" }, { kind: "quick" }, { kind: "quick" });
      proxy.loseReplies(".claim");
      // A lease so long that nobody else would free them in this test.
      const worker = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "600", DATABASE_URL: proxy.url } });
      for (const id of ids) {
        expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 0, lastError: null });
      }
      expect(proxy.repliesToLose).toBe(0);
      expect(await worker.metric('jobqueue_worker_claims_total{outcome="error"}')).toBe(1);
    } finally {
      await proxy.close();
    }
  });

  it("P4, G9: an outcome that was taken and whose acknowledgement was lost counts once, and is no failure", async () => {
    const proxy = await PostgresProxy.create(stage.databaseUrl);
    try {
      const worker = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "600", DATABASE_URL: proxy.url } });
      proxy.loseReplies(".complete(");
      const [id] = await stage.enqueue({ kind: "quick" });
      expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 0, lastError: null });
      await eventually("its repetition to be acknowledged", async () => {
        const series = 'jobqueue_worker_jobs_finished_total{queue="default",kind="quick",outcome="completed"}';
        return (await worker.metric(series)) === 1 || undefined;
      });
      expect(proxy.repliesToLose).toBe(0);
      expect(worker.entries("outcomes dropped: lease lost")).toEqual([]);
    } finally {
      await proxy.close();
    }
  });

  it("G9: what finishes during a short outage is acknowledged when it is over, once, and not recorded as a failure", async () => {
    const worker = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "60" } });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    await server.stop("immediate");
    stage.touch("go");
    await worker.logged("the store cannot be used; trying on");
    await eventually("the outcome to be tried in vain", async () =>
      worker.entries("the store cannot be used; trying on").find((entry) => entry["operation"] === "complete"),
    );
    await server.start();
    expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 0, lastError: null });
    expect(worker.entries("started")).toHaveLength(1);
  });
});

async function completedCount(stage: Stage): Promise<number> {
  const stats = await queueStats(stage.database);
  return (
    JOBS -
    stats.reduce((sum, queue) => sum + queue.pending + queue.running + queue.failed + queue.scheduled + queue.dead, 0)
  );
}

async function allCompleted(stage: Stage): Promise<Job[]> {
  return listJobs(stage.database, { state: "completed", limit: 1000 });
}

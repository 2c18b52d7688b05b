import { hold, listJobs, queueStats, release } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const HOLD = { name: "maintenance", reason: "test", actor: "tester", source: "cli" };

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("G11: when a pause commits, what was prefetched goes back unstarted with no attempt spent, what runs finishes, other queues go on", async () => {
    const worker = await stage.worker({ queues: "default,other", env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "4" } });
    // Fast jobs make the worker prefetch; then all slots wait, with jobs of a kind of their own in the buffer behind them.
    const wait = { kind: "wait", payload: { file: stage.path("go") } };
    await stage.enqueue(
      ...Array.from({ length: 300 }, () => ({ kind: "sleep", payload: { ms: 5 } })),
      ...Array.from({ length: 4 }, () => wait),
      ...Array.from({ length: 60 }, () => ({ kind: "quick" })),
    );
    await worker.logged("started", 4);
    expect(await worker.metric("jobqueue_worker_buffered_jobs")).toBeGreaterThan(0);
    await hold(stage.database, { queue: "default", ...HOLD });
    await eventually("only the jobs in the slots to run", async () => {
      const stats = (await queueStats(stage.database)).find(({ queue }) => queue === "default");
      return stats?.running === 4 ? stats : undefined;
    });
    // On a slow machine they may have waited long enough to go back for that.
    const reasons = await Promise.all(
      ["hold", "waited"].map((reason) => worker.metric(`jobqueue_worker_jobs_unstarted_total{reason="${reason}"}`)),
    );
    expect(reasons.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBeGreaterThan(0);
    stage.touch("go");
    const [other] = await stage.enqueue({ queue: "other", kind: "quick" });
    await stage.jobIn("completed", other);
    const quick = await listJobs(stage.database, { queue: "default", kind: "quick", limit: 100 });
    expect(quick.map(({ state, attempt, recoveries }) => ({ state, attempt, recoveries }))).toEqual(
      quick.map(() => ({ state: "pending", attempt: 0, recoveries: 0 })),
    );
    await release(stage.database, { queue: "default", name: HOLD.name, actor: "tester", reason: "over" });
    await eventually("the rest to finish", async () => {
      const done = await listJobs(stage.database, { queue: "default", state: "completed", limit: 1000 });
      return done.length === 364 ? true : undefined;
    });
  });

  it("G11: a queue that is held when the worker starts is not served until it is released", async () => {
    await hold(stage.database, { queue: "*", ...HOLD });
    const [id] = await stage.enqueue({ kind: "quick" });
    const worker = await stage.worker();
    // One is all there may be: a worker that hears hints asks after it, and is told that there is no work.
    await eventually(
      "a claim that finds nothing",
      async () => ((await worker.metric('jobqueue_worker_claims_total{outcome="empty"}')) ?? 0) >= 1 || undefined,
    );
    expect((await stage.jobIn("pending", id)).attempt).toBe(0);
    await release(stage.database, { queue: "*", name: HOLD.name, actor: "tester", reason: "over" });
    await stage.jobIn("completed", id);
  });
});

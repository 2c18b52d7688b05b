import { listJobs, putSchedule } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "../testing/stage.ts";
import { LONG_LEASE } from "../testing/worker-process.ts";

const ACT = { actor: "alice", reason: "test" };

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("G14: workers fire schedules by themselves, each tick once however many they are", async () => {
    await putSchedule(
      stage.database,
      { name: "every-second", cron: "* * * * * *", queue: "default", kind: "quick" },
      ACT,
    );
    const workers = await Promise.all([stage.worker({ env: LONG_LEASE }), stage.worker({ env: LONG_LEASE })]);
    const jobs = await eventually("five ticks to be done", async () => {
      const done = await listJobs(stage.database, { state: "completed", limit: 100 });
      return done.length >= 5 ? done : undefined;
    });
    const ticks = jobs.map((job) => job.uniqueKey);
    expect(new Set(ticks).size).toBe(jobs.length);
    expect(ticks.every((tick) => tick?.startsWith("schedule/every-second/"))).toBe(true);
    const fired = await Promise.all(
      workers.map(async (worker) => worker.metric('jobqueue_worker_schedule_ticks_total{outcome="fired"}')),
    );
    const [row] = await stage.database.query<{ jobs: number }>(
      "select count(*)::int as jobs from jobqueue.v_jobs where unique_key like 'schedule/%'",
    );
    // Scraped a moment before the count: a tick may have come between.
    expect(fired.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBeLessThanOrEqual(row?.jobs ?? 0);
    expect(fired.reduce<number>((sum, count) => sum + (count ?? 0), 0)).toBeGreaterThanOrEqual(5);
  });
});

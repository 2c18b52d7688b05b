import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { fail } from "../jobs/fail.ts";
import { listJobs } from "../jobs/read-jobs.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { ensureQueue } from "./ensure-queue.ts";
import { queueStats } from "./queue-stats.ts";
import { NO_JOBS } from "../testing/no-jobs.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  it("counts every state of every queue, and says since when the oldest job could have run", async () => {
    const [live, doomed] = [await store.worker(), await store.worker()];
    await ensureQueue(store.database, "empty");
    await enqueueMany(
      store.database,
      Array.from({ length: 6 }, (_, index) => ({ queue: "busy", kind: "k", maxAttempts: index === 0 ? 1 : 5 })),
    );
    const [dies, fails, done] = await claim(store.database, { workerId: live, queues: ["busy"], max: 4 });
    if (!dies || !fails || !done) throw new Error("not enough to claim");
    await fail(
      store.database,
      [dies, fails].map((job) => ({ ...job, error: "x" })),
    );
    await store.database.query("update jobqueue.jobs set run_at = run_at + interval '1 hour' where state = 3");
    await complete(store.database, [done]);
    await claim(store.database, { workerId: doomed, queues: ["busy"], max: 1 });
    await store.lapse(doomed);
    const [, due, old] = await enqueueMany(store.database, [
      { queue: "busy", kind: "k", delaySeconds: 3600 },
      { queue: "late", kind: "k", delaySeconds: 3600 },
      { queue: "late", kind: "k", runAt: "2001-01-01T00:00:00Z" },
    ]);
    await store.makeDue(due?.id ?? "");

    const stats = await queueStats(store.database);
    expect(stats.map((row) => row.queue)).toEqual(["busy", "empty", "late"]);
    expect(stats[0]).toMatchObject({ pending: 1, scheduled: 1, running: 2, failed: 1, dead: 1, stale: 1 });
    expect(stats[1]).toEqual({ queue: "empty", ...NO_JOBS });
    expect(stats[2], "what is due counts as pending before any claim").toMatchObject({ pending: 2, scheduled: 0 });
    const [oldest] = await listJobs(store.database, { queue: "late", limit: 1 });
    expect(oldest?.id).toBe(old?.id);
    expect(stats[2]?.oldestPendingSince, "not since its run_at of 2001, but since it was there").toEqual(
      oldest?.createdAt,
    );
    expect(stats[2]?.oldestPendingSeconds).toBeGreaterThanOrEqual(0);
    expect(stats[2]?.oldestPendingSeconds).toBeLessThan(60);
    expect(await store.database.query("select queue from jobqueue.v_queue_stats")).toHaveLength(3);
  });

  it("lists jobs newest first, by queue, state and kind, a page at a time", async () => {
    const jobs = await enqueueMany(
      store.database,
      Array.from({ length: 10 }, (_, index) => ({
        queue: index < 6 ? "a" : "b",
        kind: index % 2 === 0 ? "even" : "odd",
      })),
    );
    const workerId = await store.worker();
    await complete(store.database, await claim(store.database, { workerId, queues: ["a"], max: 3 }));
    const ids = (indexes: number[]) => indexes.map((index) => jobs[index]?.id);
    const listed = async (filter: Parameters<typeof listJobs>[1]) =>
      (await listJobs(store.database, filter)).map((job) => job.id);
    expect(await listed({})).toEqual(ids([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
    expect(await listed({ queue: "a", state: "completed" })).toEqual(ids([2, 1, 0]));
    expect(await listed({ queue: "a", state: "pending", kind: "odd" })).toEqual(ids([5, 3]));
    const page = await listed({ limit: 4 });
    expect(await listed({ limit: 4, afterId: page[3] as string })).toEqual(ids([5, 4, 3, 2]));
  });

  it.each([
    [{ limit: 0 }, "limit is 0: write 1 to 1000"],
    [{ limit: 1e9 }, "limit is 1000000000: write 1 to 1000"],
    [{ state: "RUNNING'--" as "running" }, "is no state of a job: write one of deferred, scheduled, pending"],
    [{ afterId: "-1" }, '"-1" is no id of a job'],
    [{ afterId: "1e3" }, '"1e3" is no id of a job'],
    [{ afterId: "9223372036854775808" }, "is no id of a job"],
  ])("a list with %j is refused", async (filter, words) => {
    await expect(listJobs(store.database, filter)).rejects.toThrow(words);
    await expect(listJobs(store.database, filter)).rejects.toMatchObject({ code: "invalid_input" });
  });
});

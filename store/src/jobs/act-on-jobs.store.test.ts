import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { type BulkFilter, cancelJobs, deleteJobs, retryJobs } from "./act-on-jobs.ts";
import { claim } from "./claim.ts";
import { enqueue, enqueueMany } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { listJobs } from "./read-jobs.ts";

const act = { actor: "alice", reason: "clean-up" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const audit = async () =>
    store.database.query<{ action: string; count: number; before: object; after: object }>(
      "select action, count, before, after from jobqueue.audit_events order by id",
    );
  async function add(count: number, queue: string, kind = "k"): Promise<string[]> {
    const jobs = await enqueueMany(
      store.database,
      Array.from({ length: count }, () => ({ queue, kind })),
    );
    return jobs.map(({ id }) => id);
  }
  async function die(count: number, queue: string): Promise<string[]> {
    await enqueueMany(
      store.database,
      Array.from({ length: count }, () => ({ queue, kind: "k", maxAttempts: 1 })),
    );
    const jobs = await claim(store.database, { workerId: await store.worker(), queues: [queue], max: count });
    await fail(
      store.database,
      jobs.map((job) => ({ ...job, error: "no" })),
    );
    return jobs.map(({ id }) => id);
  }

  it("retries what failed or died, the live before the dead, at most max, with one audit event (G19)", async () => {
    const dead = await die(5, "q");
    await add(2, "q");
    expect(await retryJobs(store.database, { queue: "q" }, { ...act, max: 3 })).toEqual({
      matched: 5,
      changed: 3,
      ids: dead.toSorted((a, b) => Number(a) - Number(b)).slice(0, 3),
    });
    expect(await listJobs(store.database, { state: "dead" })).toHaveLength(2);
    expect(await audit()).toMatchObject([
      { action: "retry", count: 3, before: { filter: { queue: "q" }, max: 3 }, after: { matched: 5 } },
    ]);
  });

  it("a dry run says what would happen, and neither changes nor audits anything", async () => {
    const ids = await add(150, "q");
    expect(await deleteJobs(store.database, { queue: "q" }, { ...act, dryRun: true })).toEqual({
      matched: 150,
      changed: 0,
      ids: ids.slice(0, 100),
    });
    expect(await listJobs(store.database, { limit: 1000 })).toHaveLength(150);
    expect(await audit()).toEqual([]);
  });

  it("cancels what waits at once, and asks the workers of what runs, once", async () => {
    await add(3, "q");
    await claim(store.database, { workerId: await store.worker(), queues: ["q"], max: 1 });
    expect(await cancelJobs(store.database, { queue: "q" }, act)).toMatchObject({ matched: 3, changed: 3 });
    expect(await listJobs(store.database, { state: "cancelled" })).toHaveLength(2);
    expect(await listJobs(store.database, { state: "running" })).toMatchObject([{ cancelRequested: true }]);
    expect(await cancelJobs(store.database, { queue: "q" }, act)).toEqual({ matched: 0, changed: 0, ids: [] });
    expect(await audit()).toHaveLength(1);
  });

  describe("the filter", () => {
    it.each([
      ["ids", async (ids: string[]) => ({ ids: [ids[0] ?? ""] })],
      ["queue", async () => ({ queue: "mine" })],
      ["kind", async () => ({ kind: "mine" })],
      ["tag", async () => ({ tag: "mine" })],
      ["labels", async () => ({ labels: { a: "1" } })],
      ["unique key", async () => ({ uniqueKey: "mine" })],
      ["state", async () => ({ state: "scheduled" as const })],
      ["age", async () => ({ olderThanSeconds: 3600 })],
    ] satisfies [string, (ids: string[]) => Promise<BulkFilter>][])("takes only jobs of its %s", async (_, make) => {
      const { id } = await enqueue(store.database, {
        queue: "mine",
        kind: "mine",
        tag: "mine",
        labels: { a: "1", b: "2" },
        uniqueKey: "mine",
        delaySeconds: 600,
      });
      await store.database.query("update jobqueue.jobs set created_at = created_at - interval '2 hours'");
      await add(3, "other");
      expect(await deleteJobs(store.database, await make([id]), act)).toEqual({ matched: 1, changed: 1, ids: [id] });
      expect(await listJobs(store.database)).toHaveLength(3);
    });

    it("takes only jobs of its worker", async () => {
      const worker = await store.worker();
      const [id] = await add(1, "q");
      await claim(store.database, { workerId: worker, queues: ["q"], max: 1 });
      await add(1, "q");
      expect(await cancelJobs(store.database, { worker }, act)).toEqual({ matched: 1, changed: 1, ids: [id] });
    });

    it("that is empty, or that nobody can read, is refused", async () => {
      await expect(deleteJobs(store.database, {}, act)).rejects.toThrow("the filter is empty: it would mean every job");
      await expect(deleteJobs(store.database, { ids: ["x"] }, act)).rejects.toThrow(
        /the filter's ids is \["x"\]: keys/,
      );
      await expect(deleteJobs(store.database, { queue: "q" }, { ...act, max: 0 })).rejects.toThrow(
        "max is 0: write 1 to",
      );
      const unknown = store.database.query(`select * from jobqueue.delete_jobs('{"que": "q"}', 'a', 'r')`);
      await expect(unknown).rejects.toThrow(`the filter's que is "q": keys are ids (array), queue`);
    });
  });

  it("leaves out what somebody else is changing instead of waiting for it", async () => {
    const [busy, free] = await add(2, "q");
    const other = store.connect();
    await store.database.transaction(async (session) => {
      await session.query("select from jobqueue.jobs where id = $1 for update", [busy]);
      expect(await deleteJobs(other, { queue: "q" }, act)).toEqual({ matched: 2, changed: 1, ids: [free] });
    });
    expect(await deleteJobs(other, { queue: "q" }, act)).toEqual({ matched: 1, changed: 1, ids: [busy] });
  });

  it("two dead jobs with one unique key: one comes back, the other waits for its turn", async () => {
    const dead = [];
    for (let at = 0; at < 2; at += 1) {
      await enqueue(store.database, { queue: "q", kind: "k", maxAttempts: 1, uniqueKey: "one" });
      const [job] = await claim(store.database, { workerId: await store.worker(), queues: ["q"], max: 1 });
      if (job === undefined) throw new Error("nothing to claim");
      await fail(store.database, [{ ...job, error: "no" }]);
      dead.push(job.id);
    }
    expect(await retryJobs(store.database, { queue: "q" }, act)).toEqual({ matched: 2, changed: 1, ids: [dead[0]] });
    expect(await listJobs(store.database, { state: "dead" })).toMatchObject([{ id: dead[1] }]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { listAuditEvents } from "../audit/list-audit-events.ts";
import { jobCounts } from "../queues/job-counts.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { cancelJob } from "./act-on-job.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue } from "./enqueue.ts";
import { reveal } from "./reveal.ts";

const act = { actor: "ana", reason: "a customer asked" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const add = async (more: object = {}): Promise<string> =>
    (await enqueue(store.database, { queue: "q", kind: "k", ...more })).id;

  describe("reveal", () => {
    it("gives payload and result, live or ended, and leaves one audit event that says who saw which jobs (G19)", async () => {
      const ended = await add({ payload: { n: 1 } });
      const workerId = await store.worker();
      const [job] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
      if (job === undefined) throw new Error("nothing to claim");
      await complete(store.database, [{ ...job, result: { done: true } }]);
      const live = await add({ payload: ["secret"] });
      const shown = await reveal(store.database, [live, ended, "999999"], act);
      expect(shown.toSorted((a, b) => Number(a.id) - Number(b.id))).toEqual([
        { id: ended, payload: { n: 1 }, result: { done: true } },
        { id: live, payload: ["secret"], result: null },
      ]);
      const events = await listAuditEvents(store.database, { action: "reveal" });
      expect(events).toMatchObject([{ actor: "ana", target: "jobs", count: 2 }]);
      expect(JSON.stringify(events)).not.toContain("secret");
    });

    it("of jobs that are not there is nothing, and no event", async () => {
      expect(await reveal(store.database, ["999999"], act)).toEqual([]);
      expect(await listAuditEvents(store.database, { action: "reveal" })).toEqual([]);
    });

    it.each([[[]], [Array.from({ length: 1001 }, (_, index) => String(index))]])(
      "refuses too few and too many",
      async (ids) => {
        await expect(reveal(store.database, ids, act)).rejects.toThrow("1 to 1000");
      },
    );
  });

  it("job_counts counts by queue, kind and state, those that ended too; what is due is pending", async () => {
    await add();
    await store.makeDue(await add({ delaySeconds: 60 }));
    await add({ delaySeconds: 60 });
    await cancelJob(store.database, await add({ kind: "other" }), act);
    expect(await jobCounts(store.database)).toEqual([
      { queue: "q", kind: "k", state: "pending", jobs: 2 },
      { queue: "q", kind: "k", state: "scheduled", jobs: 1 },
      { queue: "q", kind: "other", state: "cancelled", jobs: 1 },
    ]);
  });
});

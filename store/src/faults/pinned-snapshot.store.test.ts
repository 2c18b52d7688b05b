import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim, type ClaimFloor } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";

/** Batches of the drain, and jobs of each: enough dead rows that a claim which walked over them all would show it. */
const BATCHES = 60;
const BATCH = 100;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("P10, P11: under a transaction that stands idle and readers that overlap, claims stay fast and the backlog drains", async () => {
    const { database } = store;
    const worker = await store.worker({ leaseSeconds: 600 });
    await enqueueMany(
      database,
      Array.from({ length: BATCHES * BATCH }, () => ({ queue: "q", kind: "k" })),
    );
    let end: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    // One that only stands there (P10), and three that read again and again what they saw first (P11).
    const readers = [0, 1, 2, 3].map((n) =>
      store.connect({ poolSize: 1 }).transaction(async (session) => {
        await session.query("set transaction isolation level repeatable read");
        await session.query("select count(*) from jobqueue.jobs where state = 0");
        if (n > 0) await session.query("select count(*) from jobqueue.v_jobs");
        await over;
      }),
    );
    try {
      const times: number[] = [];
      let floor: ClaimFloor | undefined;
      for (let batch = 0; batch < BATCHES; batch++) {
        const began = performance.now();
        const jobs = await claim(database, {
          workerId: worker,
          queues: ["q"],
          max: BATCH,
          ...(floor ? { floor } : {}),
        });
        times.push(performance.now() - began);
        expect(jobs).toHaveLength(BATCH);
        floor = jobs.at(-1);
        expect(await complete(database, jobs)).toEqual([]);
      }
      const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
      // Dead rows of earlier claims cannot be removed while the snapshots stand; the floor keeps claims from walking them.
      expect(median(times.slice(-15))).toBeLessThan(5 * median(times.slice(0, 15)) + 5);
    } finally {
      end();
      await Promise.all(readers);
    }
    expect(await database.query("select from jobqueue.jobs")).toEqual([]);
  });
});

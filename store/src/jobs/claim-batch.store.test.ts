import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { configureQueue } from "../queues/configure-queue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim, type ClaimFloor } from "./claim.ts";
import { claimBatch } from "./claim-batch.ts";
import { complete } from "./complete.ts";
import { enqueue, enqueueMany, type NewJob } from "./enqueue.ts";
import { returnUnstarted } from "./return-unstarted.ts";

let queues = 0;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let workerId: string;
  let queue: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    workerId = await store.worker({ leaseSeconds: 3600 });
  });
  afterAll(async () => store.close());
  beforeEach(() => {
    queues += 1;
    queue = `batch-${queues}`;
  });

  it("claimBatch gives exactly what claim gives, in the same order", async () => {
    const job: NewJob = { queue, kind: "k" };
    await enqueueMany(store.database, [
      { ...job, payload: { text: 'a,b "c" \\ ü😀', list: [1, null, 1.5e300] } },
      { ...job, payload: null },
      { ...job, queue: `${queue}.second`, kind: "a.b:c/d@e+f-g" },
      {
        ...job,
        payload: "text",
        priority: -3,
        maxAttempts: 2,
        timeoutSeconds: 1.5,
        tag: "a,b",
        labels: { a: "b,c" },
        retry: { intervalsSeconds: [1] },
        concurrencyKey: "key, with commas",
        runAt: "1999-12-31T23:59:59.999999Z",
      },
    ]);
    const request = { workerId, queues: [`${queue}.second`, queue], max: 100 };
    const rows = await claim(store.database, request);
    await returnUnstarted(store.database, rows);
    const { jobs, leaseToken, floor } = await claimBatch(store.database, request);
    expect(jobs).toEqual(rows.map((row) => ({ ...row, leaseToken, runAt: undefined })));
    expect(jobs).toHaveLength(4);
    expect(floor, "it was not full").toBeUndefined();
    expect(await claimBatch(store.database, request)).toEqual({ jobs: [], leaseToken: undefined, floor: undefined });
  });

  it("of a job with a trace context claimBatch says for how long it has been there, by the database's clock", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const { id } = await enqueue(store.database, { queue, kind: "k", traceparent });
    await enqueue(store.database, { queue, kind: "k" });
    await store.database.query("update jobqueue.jobs set created_at = created_at - interval '2 hours' where id = $1", [
      id,
    ]);
    const { jobs } = await claimBatch(store.database, { workerId, queues: [queue], max: 2 });
    expect(jobs.map(({ options }) => options)).toEqual([{ traceparent }, null]);
    const [age = 0, other] = jobs.map(({ ageMs }) => ageMs);
    expect(age).toBeGreaterThanOrEqual(7_200_000);
    expect(age).toBeLessThan(7_260_000);
    expect(other).toBeUndefined();
  });

  it("an empty key of a queue that takes turns is no key in either form", async () => {
    await configureQueue(store.database, queue, { fair: true }, { actor: "a", reason: "r" });
    await enqueueMany(store.database, [
      { queue, kind: "k" },
      { queue, kind: "k" },
    ]);
    const request = { workerId, queues: [queue], max: 1 };
    expect((await claim(store.database, request)).map((job) => job.concurrencyKey)).toEqual([null]);
    expect((await claimBatch(store.database, request)).jobs.map((job) => job.concurrencyKey)).toEqual([null]);
  });

  describe("P10: with a floor, while a transaction holds on to an old snapshot", () => {
    const ask = (max: number, floor?: ClaimFloor) => ({ workerId, queues: [queue], max, ...(floor && { floor }) });

    it("a claim reads no more than what it takes, however many dead rows lie before it", async () => {
      await store.database.query(
        `select count(*) from jobqueue.enqueue_many(array_fill($1::text, array[6000]), array_fill('k'::text, array[6000]),
           array_fill(to_json(repeat('x', 700)), array[6000]))`,
        [queue],
      );
      await enqueueMany(
        store.database,
        Array.from({ length: 40 }, () => ({ queue: `${queue}.warm`, kind: "k" })),
      );
      /** Pages that a claim looks at, on a connection that has planned it before. */
      const met = async (floor?: ClaimFloor): Promise<number> =>
        store.connect().transaction(async (session) => {
          await claimBatch(session, { ...ask(10), queues: [`${queue}.warm`] });
          const [plan] = await session.query<{
            "QUERY PLAN": { Plan: Record<"Shared Hit Blocks" | "Shared Read Blocks", number> }[];
          }>(
            `explain (analyze, buffers, format json) select * from jobqueue.claim_batch($1, $2, 10,
               floor_queue => $3, floor_priority => $4, floor_run_at => $5, floor_id => $6)`,
            [workerId, [queue], floor?.queue ?? null, floor?.priority ?? null, floor?.runAt ?? null, floor?.id ?? null],
          );
          const top = plan?.["QUERY PLAN"][0]?.Plan;
          return (top?.["Shared Hit Blocks"] ?? 0) + (top?.["Shared Read Blocks"] ?? 0);
        });
      const reader = store.connect();
      await reader.transaction(async (session) => {
        await session.query("set transaction isolation level repeatable read");
        await session.query("select count(*) from jobqueue.jobs");
        let floor: ClaimFloor | undefined;
        for (let batch = 0; batch < 5; batch += 1) {
          const claimed = await claimBatch(store.database, ask(1000, floor));
          expect(claimed.jobs).toHaveLength(1000);
          ({ floor } = claimed);
          expect(await complete(store.database, claimed.jobs)).toEqual([]);
        }
        const [without, withFloor] = [await met(), await met(floor)];
        expect(without, "5,000 dead rows are walked over").toBeGreaterThan(400);
        expect(withFloor).toBeLessThan(without / 2);
      });
    });

    it("what comes late before the floor is not lost: the next claim without a floor has it first (G12)", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 10 }, () => ({ queue, kind: "k" })),
      );
      const first = await claimBatch(store.database, ask(4));
      expect(first.floor).toMatchObject({ queue, priority: 0, id: first.jobs[3]?.id });
      const urgent = await enqueue(store.database, { queue, kind: "k", priority: -1 });
      const older = await enqueue(store.database, { queue, kind: "k", runAt: "2001-01-01T00:00:00Z" });
      await returnUnstarted(store.database, first.jobs.slice(0, 1));
      const second = await claimBatch(store.database, ask(3, first.floor));
      const late = [urgent.id, older.id, first.jobs[0]?.id];
      expect(second.jobs.map((job) => job.id).filter((id) => late.includes(id))).toEqual([]);
      const full = await claimBatch(store.database, ask(100));
      expect(full.jobs.slice(0, 3).map((job) => job.id)).toEqual(late);
      expect(full.jobs).toHaveLength(6);
    });

    it("jobs that came in one statement, with one run_at, are told apart by it", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 9 }, () => ({ queue, kind: "k" })),
      );
      const seen: string[] = [];
      let floor: ClaimFloor | undefined;
      for (let batch = 0; batch < 3; batch += 1) {
        const claimed = await claimBatch(store.database, ask(3, floor));
        seen.push(...claimed.jobs.map((job) => job.id));
        ({ floor } = claimed);
      }
      expect(seen).toEqual(seen.toSorted((a, b) => Number(a) - Number(b)));
      expect(new Set(seen).size).toBe(9);
    });

    it("a floor of one queue leaves the others as they are", async () => {
      await enqueueMany(store.database, [
        { queue, kind: "k" },
        { queue: `${queue}.other`, kind: "k", priority: -5 },
      ]);
      const floor = { queue, priority: 100, runAt: "2999-01-01T00:00:00Z", id: "1" };
      const { jobs } = await claimBatch(store.database, { ...ask(9, floor), queues: [queue, `${queue}.other`] });
      expect(jobs.map((job) => job.queue)).toEqual([`${queue}.other`]);
    });
  });
});

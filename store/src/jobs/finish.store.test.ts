import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueueMany } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { getJob, listJobs } from "./read-jobs.ts";
import { returnUnstarted } from "./return-unstarted.ts";

let queues = 0;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let workerId: string;
  let queue: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    workerId = await store.worker();
  });
  afterAll(async () => store.close());
  beforeEach(() => {
    queues += 1;
    queue = `finish-${queues}`;
  });

  async function claimed(count: number, options: { maxAttempts?: number } = {}): Promise<ClaimedJob[]> {
    await enqueueMany(
      store.database,
      Array.from({ length: count }, (_, index) => ({ queue, kind: "k", payload: { index }, ...options })),
    );
    return claim(store.database, { workerId, queues: [queue], max: count });
  }

  describe("complete", () => {
    it("moves jobs to the history with result and duration; a flush may mix claims", async () => {
      const jobs = [...(await claimed(2)), ...(await claimed(1))];
      const done = jobs.map((job, index) => ({ ...job, result: index === 1 ? undefined : { index }, durationMs: 1.6 }));
      expect(
        await complete(
          store.database,
          done.map(({ result, ...job }) => (result === undefined ? job : { ...job, result })),
        ),
      ).toEqual([]);
      const history = await listJobs(store.database, { queue, state: "completed" });
      expect(history.map((job) => [job.id, job.result, job.durationMs, job.attempt])).toEqual([
        [jobs[2]?.id, { index: 2 }, 2, 1],
        [jobs[1]?.id, null, 2, 1],
        [jobs[0]?.id, { index: 0 }, 2, 1],
      ]);
      expect(history[0]).toMatchObject({
        workerId,
        leaseToken: jobs[2]?.leaseToken,
        isStale: false,
        lockedUntil: null,
      });
      expect(await store.database.query("select from jobqueue.jobs where queue = $1", [queue])).toEqual([]);
    });

    it("a repeat after a lost reply is done, not lost", async () => {
      const jobs = await claimed(3);
      expect(await complete(store.database, jobs)).toEqual([]);
      expect(await complete(store.database, jobs)).toEqual([]);
      expect(await complete(store.database, [...jobs, { id: "999999999", leaseToken: "1" }])).toEqual(["999999999"]);
      expect(await listJobs(store.database, { queue })).toHaveLength(3);
    });

    it("the same pair twice in one call is done once", async () => {
      const [job] = await claimed(1);
      expect(await complete(store.database, [job as ClaimedJob, job as ClaimedJob])).toEqual([]);
      expect(await listJobs(store.database, { queue })).toHaveLength(1);
    });

    it("refuses a result that is too large, naming the job, and finishes none of the call", async () => {
      const [job] = await claimed(1);
      const large = complete(store.database, [{ ...(job as ClaimedJob), result: "x".repeat(1_048_576) }]);
      await expect(large).rejects.toThrow(`result of job ${job?.id} has 1048578 bytes`);
      const raw = store.database.query("select jobqueue.complete($1, $2, array[to_json(repeat('x', 1048576))])", [
        [job?.id],
        [job?.leaseToken],
      ]);
      await expect(raw).rejects.toThrow(`the result of job ${job?.id} has more than 1048576 bytes`);
      expect((await getJob(store.database, job?.id ?? ""))?.state).toBe("running");
    });

    it("ids without their tokens are refused", async () => {
      const wrong = store.database.query("select jobqueue.complete('{1,2}', '{1}')");
      await expect(wrong).rejects.toThrow("ids and lease_tokens must have one element per job");
    });
  });

  describe("fail", () => {
    it("lets the job wait, longer each time, then makes it dead with its error in the history (G9)", async () => {
      const [first] = await claimed(1, { maxAttempts: 3 });
      const id = first?.id ?? "";
      let job = first as ClaimedJob;
      for (const [attempt, shortest, longest] of [
        [1, 0.8, 1.2],
        [2, 1.6, 2.4],
      ] as const) {
        expect(job.attempt).toBe(attempt);
        const [seen] = await store.database.transaction(async (session) => {
          const [before] = await session.query<{ at: string }>("select clock_timestamp()::text as at");
          expect(await fail(session, [{ ...job, error: `error ${attempt}`, durationMs: 5 }])).toEqual([]);
          return session.query(
            `select state, attempt, last_error, run_at between $2::timestamptz + make_interval(secs => $3)
               and clock_timestamp() + make_interval(secs => $4) as waits
             from jobqueue.jobs where id = $1`,
            [id, before?.at, shortest, longest],
          );
        });
        expect(seen).toEqual({ state: 3, attempt, last_error: `error ${attempt}`, waits: true });
        await store.makeDue(id);
        job = (await claim(store.database, { workerId, queues: [queue], max: 1 }))[0] as ClaimedJob;
      }
      expect(await fail(store.database, [{ ...job, error: "error 3", durationMs: 7 }])).toEqual([]);
      expect(await getJob(store.database, id)).toMatchObject({
        state: "dead",
        deadReason: "attempts",
        attempt: 3,
        recoveries: 0,
        lastError: "error 3",
        durationMs: 7,
        payload: { index: 0 },
      });
    });

    it("a repeat after a lost reply is done, not lost, whatever became of the job since", async () => {
      const [waits, dies] = [(await claimed(1, { maxAttempts: 2 }))[0], (await claimed(1, { maxAttempts: 1 }))[0]];
      const failures = [waits, dies].map((job) => ({ ...(job as ClaimedJob), error: "boom" }));
      expect(await fail(store.database, failures)).toEqual([]);
      expect(await fail(store.database, failures)).toEqual([]);
      await store.makeDue(waits?.id ?? "");
      await claim(store.database, { workerId, queues: [queue], max: 1 });
      expect(await fail(store.database, failures)).toEqual([]);
      expect(await getJob(store.database, waits?.id ?? "")).toMatchObject({ state: "running", attempt: 2 });
      expect(await complete(store.database, failures), "but a failure is no completion").toEqual(
        failures.map((job) => job.id),
      );
    });

    it("keeps the first 8192 characters of an error, and stores what Postgres would refuse", async () => {
      const jobs = await claimed(2);
      await fail(store.database, [
        { ...(jobs[0] as ClaimedJob), error: `${"x".repeat(8_191)}é and more` },
        { ...(jobs[1] as ClaimedJob), error: "a\u0000b\uD800c" },
      ]);
      expect((await getJob(store.database, jobs[0]?.id ?? ""))?.lastError).toBe(`${"x".repeat(8_191)}é`);
      expect((await getJob(store.database, jobs[1]?.id ?? ""))?.lastError).toBe("a\uFFFDb\uFFFDc");
    });

    it("works without errors and durations, from any language", async () => {
      const [job] = await claimed(1);
      const rows = await store.database.query("select jobqueue.fail($1, $2) as lost", [[job?.id], [job?.leaseToken]]);
      expect(rows).toEqual([{ lost: [] }]);
      expect((await getJob(store.database, job?.id ?? ""))?.lastError).toBeNull();
    });
  });

  describe("return", () => {
    it("makes jobs pending at once in their old place, with no attempt spent", async () => {
      const jobs = await claimed(3);
      expect(await returnUnstarted(store.database, jobs.slice(0, 2))).toEqual([]);
      expect(await returnUnstarted(store.database, jobs.slice(0, 2)), "again, after a lost reply").toEqual([]);
      expect(await getJob(store.database, jobs[0]?.id ?? "")).toMatchObject({
        state: "pending",
        attempt: 0,
        workerId: null,
      });
      const again = await claim(store.database, { workerId, queues: [queue], max: 3 });
      expect(again.map((job) => [job.id, job.attempt])).toEqual(jobs.slice(0, 2).map((job) => [job.id, 1]));
    });
  });
});

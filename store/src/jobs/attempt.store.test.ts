import * as fc from "fast-check";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { configureQueue } from "../queues/configure-queue.ts";
import { sessionOn } from "../session.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { cancelJob } from "./act-on-job.ts";
import { acknowledgeCancel, cancelRequests } from "./cancel-requests.ts";
import { claim, type ClaimedJob, type ClaimRequest } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue, enqueueMany, type NewJob } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { progress } from "./progress.ts";
import { getJob } from "./read-jobs.ts";
import { recordProcess } from "./record-process.ts";
import { recoverStale } from "./recover-stale.ts";
import { returnUnstarted } from "./return-unstarted.ts";
import { snooze } from "./snooze.ts";

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
    queue = `attempt-${queues}`;
  });

  async function claimed(options: Partial<NewJob> = {}): Promise<ClaimedJob> {
    await enqueue(store.database, { queue, kind: "k", ...options });
    return claimOne();
  }
  async function claimOne(): Promise<ClaimedJob> {
    const [job] = await claim(store.database, { workerId, queues: [queue], max: 1 });
    if (!job) throw new Error("nothing to claim");
    return job;
  }
  const act = { actor: "alice", reason: "not needed" };

  describe("G7: transactional completion", () => {
    let client: Client;
    beforeAll(async () => {
      client = new Client({ connectionString: store.url });
      await client.connect();
      await client.query("create table effects (job bigint primary key)");
    });
    afterAll(async () => client.end());

    it("commits with the handler's own writes", async () => {
      const job = await claimed();
      await client.query("begin");
      await client.query("insert into effects values ($1)", [job.id]);
      expect(await complete(sessionOn(client), [{ ...job, result: "done" }])).toEqual([]);
      expect((await getJob(store.database, job.id))?.state, "not before the commit").toBe("running");
      await client.query("commit");
      expect(await getJob(store.database, job.id)).toMatchObject({ state: "completed", result: "done" });
      expect((await client.query("select from effects where job = $1", [job.id])).rowCount).toBe(1);
    });

    it("rolled back leaves the job running under its lease, with all that would have followed undone", async () => {
      const job = await claimed({ finaliser: { kind: "tidy" }, uniqueKey: "g7", uniqueForSeconds: 60 });
      const waiting = await enqueue(store.database, { queue, kind: "k", dependsOn: [job.id] });
      await client.query("begin");
      await client.query("insert into effects values ($1)", [job.id]);
      await complete(sessionOn(client), [job]);
      await client.query("rollback");
      expect(await getJob(store.database, job.id)).toMatchObject({ state: "running", leaseToken: job.leaseToken });
      expect((await getJob(store.database, waiting.id))?.state).toBe("deferred");
      expect((await client.query("select from effects where job = $1", [job.id])).rowCount).toBe(0);
      expect(await complete(store.database, [job]), "and may still be completed").toEqual([]);
    });

    it("tells a handler that lost its lease, before its writes are committed", async () => {
      const other = await store.worker();
      await enqueue(store.database, { queue, kind: "k" });
      const [job] = await claim(store.database, { workerId: other, queues: [queue], max: 1 });
      await client.query("begin");
      await client.query("insert into effects values ($1)", [job?.id]);
      await store.lapse(other);
      await recoverStale(store.database, { workers: [other] });
      expect(await complete(sessionOn(client), [job as ClaimedJob])).toEqual([job?.id]);
      await client.query("rollback");
      expect((await getJob(store.database, job?.id ?? ""))?.state).toBe("pending");
    });
  });

  describe("a result", () => {
    it("is kept as long as its job says; 0 keeps none", async () => {
      const [hour, none, always] = [
        await claimed({ resultTtlSeconds: 3600 }),
        await claimed({ resultTtlSeconds: 0 }),
        await claimed(),
      ];
      await complete(
        store.database,
        [hour, none, always].map((job) => ({ ...job, result: 1, exitCode: 0 })),
      );
      const rows = await store.database.query(
        `select result, exit_code, extract(epoch from result_expires_at - finished_at)::int as seconds
         from jobqueue.job_history where queue = $1 order by id`,
        [queue],
      );
      expect(rows).toEqual([
        { result: 1, exit_code: 0, seconds: 3600 },
        { result: null, exit_code: 0, seconds: null },
        { result: 1, exit_code: 0, seconds: null },
      ]);
    });
  });

  describe("G9: a failed attempt", () => {
    it("waits as its job says, else as its queue says, when it fails", async () => {
      await configureQueue(store.database, queue, { retry: { intervalsSeconds: [100, 200] } }, act);
      const waits = async (job: ClaimedJob) => {
        await fail(store.database, [{ ...job, error: "no" }]);
        const [row] = await store.database.query<{ seconds: number }>(
          "select extract(epoch from run_at - clock_timestamp())::float8 as seconds from jobqueue.jobs where id = $1",
          [job.id],
        );
        return Math.round((row?.seconds ?? 0) / 10) * 10;
      };
      const job = await claimed();
      expect(await waits(job)).toBe(100);
      for (const expected of [200, 200]) {
        await store.makeDue(job.id);
        expect(await waits(await claimOne())).toBe(expected);
      }
      expect(await waits(await claimed({ retry: { intervalsSeconds: [50] } }))).toBe(50);
      await configureQueue(
        store.database,
        queue,
        { retry: { exponential: { initialSeconds: 400, jitterPercent: 0 } } },
        act,
      );
      expect(await waits(await claimed())).toBe(400);
    });

    it("that is permanent makes the job dead at once", async () => {
      const job = await claimed({ maxAttempts: 5 });
      await fail(store.database, [{ ...job, error: "no such file", permanent: true, exitCode: 2, durationMs: 3 }]);
      expect(await getJob(store.database, job.id)).toMatchObject({
        state: "dead",
        deadReason: "permanent",
        attempt: 1,
        lastError: "no such file",
        exitCode: 2,
        durationMs: 3,
      });
    });

    it("one call may hold some that are retried, some that are dead, and some that are lost", async () => {
      const [retried, spent, done] = [await claimed(), await claimed({ maxAttempts: 1 }), await claimed()];
      await complete(store.database, [done]);
      const failures = [retried, spent, done].map((job, index) => ({ ...job, error: `e${index}` }));
      expect(await fail(store.database, failures)).toEqual([done.id]);
      expect(await getJob(store.database, retried.id)).toMatchObject({ state: "failed", lastError: "e0" });
      expect(await getJob(store.database, spent.id)).toMatchObject({ state: "dead", lastError: "e1" });
    });

    it("is kept with the errors of the last ten, each of at most 8192 characters", async () => {
      let job = await claimed({ maxAttempts: 13, retry: { intervalsSeconds: [0] } });
      for (let attempt = 1; attempt <= 13; attempt += 1) {
        await fail(store.database, [{ ...job, error: `${attempt} `.padEnd(9_000, "x"), exitCode: attempt }]);
        if (attempt < 13) job = await claimOne();
      }
      const dead = await getJob(store.database, job.id);
      expect(dead?.errors).toHaveLength(10);
      expect(dead?.errors?.map((each) => [each.attempt, each.exit_code, each.error.length])).toEqual(
        Array.from({ length: 10 }, (_, index) => [index + 4, index + 4, 8192]),
      );
      expect(dead?.errors?.at(-1)).toMatchObject({ generation: 1, worker: workerId, error: dead?.lastError });
    });

    it("never waits shorter or longer than its policy and jitter allow, whatever the policy", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.record({
            initial_seconds: fc.double({ min: 0.001, max: 1e4, noNaN: true }),
            max_seconds: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
            jitter_percent: fc.integer({ min: 0, max: 100 }),
          }),
          fc.integer({ min: 1, max: 1000 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (exponential, attempt, chance) => {
            const [row] = await store.database.query<{ seconds: number }>(
              "select extract(epoch from jobqueue.retry_wait($1, $2, $3))::float8 as seconds",
              [JSON.stringify({ exponential }), attempt, chance],
            );
            const wait = Math.min(
              exponential.max_seconds,
              exponential.initial_seconds * 2 ** Math.min(attempt - 1, 30),
            );
            const jitter = (wait * exponential.jitter_percent) / 100;
            expect(row?.seconds).toBeGreaterThanOrEqual(wait - jitter - 0.001);
            expect(row?.seconds).toBeLessThanOrEqual(wait + jitter + 0.001);
          },
        ),
        { numRuns: 150 },
      );
    });
  });

  it("snooze schedules a job for later and spends no attempt; a repeat is done, not lost", async () => {
    const job = await claimed({ maxAttempts: 1 });
    const snoozed = [{ ...job, delaySeconds: 3600 }];
    expect(await snooze(store.database, snoozed)).toEqual([]);
    expect(await snooze(store.database, snoozed)).toEqual([]);
    expect(await getJob(store.database, job.id)).toMatchObject({ state: "scheduled", attempt: 0, workerId: null });
    await store.makeDue(job.id);
    expect(await claimOne()).toMatchObject({ id: job.id, attempt: 1 });
    await expect(snooze(store.database, [{ ...job, delaySeconds: -1 }])).rejects.toThrow("from 0 to 315360000");
  });

  it("progress and the process of a running job can be seen, and stay in the history", async () => {
    const job = await claimed();
    expect(await progress(store.database, job, { percent: 10 })).toBe(true);
    expect(await progress(store.database, job, { percent: 50 })).toBe(true);
    expect(await recordProcess(store.database, job, { pid: 4242, ppid: 17, runAs: "nobody" })).toBe(true);
    expect((await getJob(store.database, job.id))?.progress).toEqual({ percent: 50 });
    await complete(store.database, [job]);
    const [row] = await store.database.query("select progress, process from jobqueue.job_history where id = $1", [
      job.id,
    ]);
    expect(row).toEqual({ progress: { percent: 50 }, process: { pid: 4242, ppid: 17, run_as: "nobody" } });
    expect(await progress(store.database, job, 100), "not after the end").toBe(false);
    await expect(progress(store.database, await claimed(), "x".repeat(16_384))).rejects.toThrow(
      "more than 16384 bytes",
    );
  });

  describe("a cancel request", () => {
    const requested = async (): Promise<ClaimedJob> => {
      const job = await claimed({ maxAttempts: 5 });
      expect(await cancelJob(store.database, job.id, act)).toBe("requested");
      return job;
    };
    const cancelled = { state: "cancelled", lastError: "cancelled by alice: not needed" };

    it("is seen by the worker, acknowledged, and gone; a repeat is done, not lost", async () => {
      const job = await requested();
      const mine = await cancelRequests(store.database, workerId);
      expect(mine).toContainEqual({ id: job.id, leaseToken: job.leaseToken, reason: "not needed" });
      expect(await acknowledgeCancel(store.database, [{ ...job, durationMs: 5 }])).toEqual([]);
      expect(await acknowledgeCancel(store.database, [job])).toEqual([]);
      expect(await getJob(store.database, job.id)).toMatchObject({ ...cancelled, durationMs: 5, workerId });
      expect((await cancelRequests(store.database, workerId)).map(({ id }) => id)).not.toContain(job.id);
    });

    it.each([
      ["fails", async (job: ClaimedJob) => fail(store.database, [{ ...job, error: "aborted" }])],
      ["is snoozed", async (job: ClaimedJob) => snooze(store.database, [{ ...job, delaySeconds: 1 }])],
      ["is returned", async (job: ClaimedJob) => returnUnstarted(store.database, [job])],
    ])("ends a job cancelled that %s instead; a repeat is done, not lost", async (_, end) => {
      const job = await requested();
      expect(await end(job)).toEqual([]);
      expect(await getJob(store.database, job.id)).toMatchObject(cancelled);
      expect(await end(job)).toEqual([]);
    });

    it("comes too late for a job that completes first", async () => {
      const job = await requested();
      expect(await complete(store.database, [job])).toEqual([]);
      expect((await getJob(store.database, job.id))?.state).toBe("completed");
      expect(await acknowledgeCancel(store.database, [job]), "cancelled it was not").toEqual([job.id]);
    });

    it("that is made while the attempt is failing is not forgotten", async () => {
      const job = await claimed({ maxAttempts: 5 });
      let failing: Promise<unknown> = Promise.resolve();
      await store.database.transaction(async (session) => {
        expect(await cancelJob(session, job.id, act)).toBe("requested");
        failing = fail(store.connect(), [{ ...job, error: "meanwhile" }]);
        await store.someoneWaits();
      });
      expect(await failing).toEqual([]);
      expect(await getJob(store.database, job.id)).toMatchObject(cancelled);
    });
  });

  describe("P4: a claim whose reply was lost", () => {
    const ask = (more: Partial<ClaimRequest> = {}): ClaimRequest => ({ workerId, queues: [queue], max: 2, ...more });
    const leases = async () =>
      (
        await store.database.query<{ token: string }>("select token from jobqueue.leases where worker_id = $1", [
          workerId,
        ])
      ).map(({ token }) => token);

    it("is found by the tokens on hand, and its jobs are returned with no attempt spent", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 4 }, () => ({ queue, kind: "k" })),
      );
      const lost = await claim(store.database, ask());
      const known = await claim(store.database, ask());
      const heldTokens = known.map((job) => job.leaseToken);
      const again = await claim(store.database, ask({ heldTokens }));
      expect(again.map((job) => [job.id, job.attempt])).toEqual(lost.map((job) => [job.id, 1]));
      expect(await complete(store.database, lost), "its old token is worth nothing").toEqual(lost.map((job) => job.id));
      expect(await complete(store.database, [...known, ...again])).toEqual([]);
    });

    it("lease rows of claims that are over go when the worker says so, others stay", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 4 }, () => ({ queue, kind: "k" })),
      );
      const [done, held] = [await claim(store.database, ask()), await claim(store.database, ask())];
      await complete(store.database, done);
      await claim(store.database, ask({ doneTokens: [done[0]?.leaseToken ?? ""] }));
      const left = await leases();
      expect(left).not.toContain(done[0]?.leaseToken);
      expect(left).toContain(held[0]?.leaseToken);
    });

    it("another worker's leases are out of reach", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 2 }, () => ({ queue, kind: "k" })),
      );
      const mine = await claim(store.database, ask());
      const other = await store.worker();
      const token = mine[0]?.leaseToken ?? "";
      expect(await claim(store.database, ask({ workerId: other, heldTokens: [], doneTokens: [token] }))).toEqual([]);
      expect(await leases()).toContain(token);
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { acknowledgeCancel } from "./cancel-requests.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { progress } from "./progress.ts";
import { getJob, listJobs } from "./read-jobs.ts";
import { recordProcess } from "./record-process.ts";
import { recoverStale } from "./recover-stale.ts";
import { returnUnstarted } from "./return-unstarted.ts";
import { snooze } from "./snooze.ts";

let queues = 0;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let queue: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(() => {
    queues += 1;
    queue = `lease-${queues}`;
  });

  async function claimOne(workerId: string): Promise<ClaimedJob> {
    const [job] = await claim(store.database, { workerId, queues: [queue], max: 1 });
    if (!job) throw new Error("nothing to claim");
    return job;
  }

  describe("G4: at most one live lease", () => {
    it("a running job is not handed out again while its worker lives", async () => {
      await enqueue(store.database, { queue, kind: "k" });
      const [first, second] = [await store.worker(), await store.worker()];
      await claimOne(first);
      expect(await claim(store.database, { workerId: second, queues: [queue], max: 10 })).toEqual([]);
      expect(await recoverStale(store.database)).toEqual([]);
    });

    it("lease tokens of a job strictly increase: over return, failure, recovery and the next attempts", async () => {
      const { id } = await enqueue(store.database, { queue, kind: "k", maxAttempts: 3 });
      const tokens: bigint[] = [];
      const worker = await store.worker();
      const take = async (by = worker) => {
        const job = await claimOne(by);
        expect(job.id).toBe(id);
        tokens.push(BigInt(job.leaseToken));
        return job;
      };
      await returnUnstarted(store.database, [await take()]);
      await fail(store.database, [{ ...(await take()), error: "first" }]);
      await store.makeDue(id);
      const doomed = await store.worker();
      await take(doomed);
      await store.lapse(doomed);
      expect(await recoverStale(store.database, { workers: [doomed] })).toMatchObject([{ id, outcome: "retried" }]);
      await fail(store.database, [{ ...(await take()), error: "second" }]);
      await store.makeDue(id);
      await complete(store.database, [await take()]);
      expect(tokens).toHaveLength(5);
      tokens.forEach((token, index) => {
        expect(index === 0 || token > (tokens[index - 1] as bigint)).toBe(true);
      });
    });

    it("one claim makes one token, another claim another", async () => {
      for (let index = 0; index < 4; index += 1) await enqueue(store.database, { queue, kind: "k" });
      const workerId = await store.worker();
      const first = await claim(store.database, { workerId, queues: [queue], max: 2 });
      const second = await claim(store.database, { workerId, queues: [queue], max: 2 });
      expect(new Set(first.map((job) => job.leaseToken)).size).toBe(1);
      expect(new Set(second.map((job) => job.leaseToken)).size).toBe(1);
      expect(first[0]?.leaseToken).not.toBe(second[0]?.leaseToken);
    });

    it("a lapsed lease is never renewed: no heartbeat revives it, before or after recovery", async () => {
      const worker = await store.worker();
      expect(await heartbeat(store.database, worker)).toMatchObject({ leaseMs: 30_000 });
      await store.lapse(worker);
      expect(await heartbeat(store.database, worker)).toBeUndefined();
      await recoverStale(store.database);
      expect(await heartbeat(store.database, worker)).toBeUndefined();
    });
  });

  describe("G5: after its job was recovered", () => {
    /** A job whose worker went silent (as after SIGSTOP), was recovered, and is claimed by another worker. */
    async function takeOver(): Promise<{ old: ClaimedJob; current: ClaimedJob }> {
      await enqueue(store.database, { queue, kind: "k", payload: { n: 1 }, maxAttempts: 3 });
      const silent = await store.worker();
      const old = await claimOne(silent);
      await store.lapse(silent);
      await recoverStale(store.database, { workers: [silent] });
      const current = await claimOne(await store.worker());
      expect(current.id).toBe(old.id);
      expect(current.attempt, "the attempt number repeats, which is why it is no fence").toBe(old.attempt);
      return { old, current };
    }

    const row = async (id: string) => store.database.query("select * from jobqueue.jobs where id = $1", [id]);

    const writes: [string, (job: ClaimedJob) => Promise<string[]>][] = [
      ["complete", async (job) => complete(store.database, [{ ...job, result: "stale" }])],
      ["fail", async (job) => fail(store.database, [{ ...job, error: "stale" }])],
      ["return", async (job) => returnUnstarted(store.database, [job])],
      ["snooze", async (job) => snooze(store.database, [{ ...job, delaySeconds: 1 }])],
      ["acknowledge", async (job) => acknowledgeCancel(store.database, [job])],
      ["progress", async (job) => ((await progress(store.database, job, "stale")) ? [] : [job.id])],
      ["record", async (job) => ((await recordProcess(store.database, job, { pid: 1 })) ? [] : [job.id])],
    ];

    it.each(writes)("%s by the old holder changes nothing and is reported as lost", async (_, write) => {
      const { old, current } = await takeOver();
      const before = await row(old.id);
      expect(await write(old)).toEqual([old.id]);
      expect(await row(old.id)).toEqual(before);
      expect(await complete(store.database, [{ ...current, result: "good" }])).toEqual([]);
      expect(await write(old), "nor after the new holder finished").toEqual([old.id]);
      expect(await getJob(store.database, old.id)).toMatchObject({
        state: "completed",
        result: "good",
        lastError: null,
      });
    });

    it.each(writes)("%s changes nothing either before anybody has claimed it again", async (_, write) => {
      await enqueue(store.database, { queue, kind: "k" });
      const silent = await store.worker();
      const old = await claimOne(silent);
      await store.lapse(silent);
      await recoverStale(store.database, { workers: [silent] });
      const before = await row(old.id);
      expect(await write(old)).toEqual([old.id]);
      expect(await row(old.id)).toEqual(before);
    });

    it("W4: a reset of the attempts in between (a retry by a person) lets no old holder back in", async () => {
      const { old } = await takeOver();
      await store.database.query("update jobqueue.jobs set attempt = $2 where id = $1", [old.id, old.attempt]);
      for (const [, write] of writes) expect(await write(old)).toEqual([old.id]);
      expect((await getJob(store.database, old.id))?.state).toBe("running");
    });

    it("W5: the same worker, claiming again what it lost, is fenced from its own old lease", async () => {
      await enqueue(store.database, { queue, kind: "k" });
      const worker = await store.worker();
      const old = await claimOne(worker);
      // A worker nobody knows.
      await store.database.query("update jobqueue.jobs set worker_id = -1 where id = $1", [old.id]);
      await store.database.query("update jobqueue.leases set worker_id = -1 where token = $1", [old.leaseToken]);
      expect(await recoverStale(store.database, { workers: ["-1"] })).toMatchObject([
        { id: old.id, outcome: "retried" },
      ]);
      const again = await claimOne(worker);
      expect(await complete(store.database, [old])).toEqual([old.id]);
      expect(await complete(store.database, [again])).toEqual([]);
    });

    it("a mixed batch is judged pair by pair", async () => {
      const { old, current } = await takeOver();
      await enqueue(store.database, { queue, kind: "k" });
      const other = await claimOne(await store.worker());
      const swapped = { id: other.id, leaseToken: current.leaseToken };
      expect(await complete(store.database, [old, swapped]), "each token goes with its own id").toEqual([
        old.id,
        other.id,
      ]);
      expect(await complete(store.database, [old, current, other])).toEqual([old.id]);
      expect(await listJobs(store.database, { queue, state: "completed" })).toHaveLength(2);
    });
  });

  it("W3: until recovery a lapsed holder may still finish: nothing was handed on yet", async () => {
    await enqueue(store.database, { queue, kind: "k" });
    const silent = await store.worker();
    const job = await claimOne(silent);
    await store.lapse(silent);
    expect((await getJob(store.database, job.id))?.isStale).toBe(true);
    expect(await complete(store.database, [job])).toEqual([]);
    expect(await recoverStale(store.database, { workers: [silent] })).toEqual([]);
  });
});

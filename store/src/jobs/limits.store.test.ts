import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import type { Database } from "../connection/database.ts";
import { configureQueue, type QueuePolicy } from "../queues/configure-queue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueueMany } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { recoverStale } from "./recover-stale.ts";
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
    queue = `limits-${queues}`;
  });

  const configure = async (policy: QueuePolicy) =>
    configureQueue(store.database, queue, policy, { actor: "alice", reason: "test" });
  /** Enqueues as many jobs of each key as said, key by key; `-` is no key. */
  const fill = async (keys: Record<string, number>) =>
    enqueueMany(
      store.database,
      Object.entries(keys).flatMap(([key, count]) =>
        Array.from({ length: count }, () => ({ queue, kind: "k", ...(key === "-" ? {} : { concurrencyKey: key }) })),
      ),
    );
  const take = async (max: number, more: { slots?: number; worker?: string } = {}, on: Database = store.database) =>
    claim(on, { workerId: more.worker ?? workerId, queues: [queue], max, ...more });
  const keysOf = (jobs: readonly ClaimedJob[]) =>
    jobs
      .map((job) => job.concurrencyKey ?? "-")
      .toSorted()
      .join("");

  /**
   * Runs the queue empty from several connections at once, and returns the highest number of jobs that ran at one instant:
   * of the queue, and of any one key. Counted by the database, in the transaction of each claim, after it.
   */
  async function drain(connections: number, max: number): Promise<{ queue: number; key: number; done: number }> {
    const most = { queue: 0, key: 0, done: 0 };
    await Promise.all(
      Array.from({ length: connections }, async () => {
        const database = store.connect();
        for (let idle = 0; idle < 3;) {
          const [jobs, running] = await database.transaction(async (session) => {
            const batch = await claim(session, { workerId, queues: [queue], max });
            return [
              batch,
              await session.query<{ n: number }>(
                "select count(*)::int as n from jobqueue.jobs where queue = $1 and state = 1 group by concurrency_key",
                [queue],
              ),
            ];
          });
          most.queue = Math.max(
            most.queue,
            running.reduce((sum, { n }) => sum + n, 0),
          );
          most.key = Math.max(most.key, ...running.map(({ n }) => n));
          most.done += jobs.length;
          // Some fail, some are returned: every way out of running must give the place back.
          const [first, second, ...rest] = jobs;
          if (first) await fail(database, [{ ...first, error: "no", permanent: true }]);
          if (second) {
            await returnUnstarted(database, [second]);
            most.done -= 1;
          }
          await complete(database, rest);
          idle = jobs.length > 0 || running.length > 0 ? 0 : idle + 1;
        }
      }),
    );
    return most;
  }

  describe("G13: max_running", () => {
    it("holds with claims from several connections at once, and every job runs", async () => {
      await configure({ maxRunning: 7 });
      await fill({ "-": 150 });
      const most = await drain(4, 5);
      expect(most.queue).toBeLessThanOrEqual(7);
      expect(most.done).toBe(150);
    });

    it("holds across recovery: a lost job keeps its place until it is recovered, and gives it back then", async () => {
      await configure({ maxRunning: 3 });
      await fill({ "-": 6 });
      const doomed = await store.worker();
      expect(await take(10, { worker: doomed })).toHaveLength(3);
      await store.lapse(doomed);
      expect(await take(10), "lapsed, and may still be at work").toEqual([]);
      await recoverStale(store.database, { workers: [doomed] });
      expect(await take(10)).toHaveLength(3);
      expect(await take(10)).toEqual([]);
    });

    it("counts what ran before there was a limit", async () => {
      await fill({ "-": 6 });
      await take(2);
      await configure({ maxRunning: 3 });
      expect(await take(10)).toHaveLength(1);
    });

    it("0 stops the queue; without a limit it runs", async () => {
      await fill({ "-": 2 });
      await configure({ maxRunning: 0 });
      expect(await take(10)).toEqual([]);
      await configure({ maxRunning: null });
      expect(await take(10)).toHaveLength(2);
    });

    it("one claim takes no more than it can start at once, of queues without limits as much as it likes", async () => {
      await configure({ maxRunning: 100 });
      await fill({ "-": 20 });
      await enqueueMany(
        store.database,
        Array.from({ length: 20 }, () => ({ queue: `${queue}.free`, kind: "k" })),
      );
      const jobs = await claim(store.database, { workerId, queues: [queue, `${queue}.free`], max: 15, slots: 4 });
      expect(jobs.filter((job) => job.queue === queue)).toHaveLength(4);
      expect(jobs).toHaveLength(15);
    });

    it("queues are still served strictly in the order given", async () => {
      await configure({ maxRunning: 2 });
      await fill({ "-": 4 });
      await enqueueMany(
        store.database,
        Array.from({ length: 4 }, () => ({ queue: `${queue}.free`, kind: "k" })),
      );
      const jobs = await claim(store.database, { workerId, queues: [`${queue}.free`, queue], max: 5 });
      expect(jobs.map((job) => job.queue)).toEqual([...Array.from({ length: 4 }, () => `${queue}.free`), queue]);
    });
  });

  describe("G13: max_running_per_key", () => {
    it("holds with claims from several connections at once, and every job runs", async () => {
      await configure({ maxRunningPerKey: 2, maxRunning: 9 });
      await fill({ a: 60, b: 30, c: 20, d: 5 });
      const most = await drain(4, 4);
      expect(most.key).toBeLessThanOrEqual(2);
      expect(most.queue).toBeLessThanOrEqual(9);
      expect(most.done).toBe(115);
    });

    it("jobs without a key have no limit of their own", async () => {
      await configure({ maxRunningPerKey: 1 });
      await fill({ a: 3, "-": 3 });
      expect(keysOf(await take(10))).toBe("---a");
    });

    it("full keys are passed over, however many there are", async () => {
      await configure({ maxRunningPerKey: 1 });
      await fill(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`k${index}`, 2])));
      expect(await take(40)).toHaveLength(40);
      await fill({ z: 1 });
      expect(keysOf(await take(5))).toBe("z");
    });
  });

  describe("fair", () => {
    it("keys take turns within a claim and from claim to claim; within a key the order is that of the queue", async () => {
      await configure({ fair: true });
      const jobs = await fill({ a: 6, b: 2, c: 1 });
      expect(keysOf(await take(3))).toBe("abc");
      expect(keysOf(await take(1))).toBe("a");
      expect(keysOf(await take(1))).toBe("b");
      const rest = await take(10);
      expect(rest.map((job) => job.id)).toEqual(jobs.slice(2, 6).map((job) => job.id));
    });

    it("gives all there is to one key when the others have nothing", async () => {
      await configure({ fair: true });
      await fill({ a: 50, b: 1 });
      expect(keysOf(await take(30))).toBe(`${"a".repeat(29)}b`);
    });

    it("jobs without a key are one more key, also those that were there before the keys took turns", async () => {
      await fill({ "-": 3 });
      await configure({ fair: true });
      await fill({ a: 3, "-": 1 });
      expect(keysOf(await take(2))).toBe("-a");
      expect(keysOf(await take(2))).toBe("-a");
    });

    it("B9: one key with 20,000 jobs does not keep nine others waiting", async () => {
      await configure({ fair: true });
      await store.database.query(
        `insert into jobqueue.jobs (queue, kind, payload, concurrency_key)
         select $1, 'k', '{}', 'big' from generate_series(1, 20000)`,
        [queue],
      );
      await take(50);
      const small = await fill(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`small-${index}`, 1])));
      const next = await take(10);
      expect(
        next
          .filter((job) => job.concurrencyKey !== "big")
          .map((job) => job.id)
          .toSorted(),
      ).toEqual(small.map((job) => job.id).toSorted());
    });
  });

  describe("rate", () => {
    const forward = async (seconds: number) =>
      store.database.query(
        "update jobqueue.queue_limits set tokens_at = tokens_at - make_interval(secs => $2) where queue = $1",
        [queue, seconds],
      );

    it("lets so many start per time, and no more after a pause than one period's worth", async () => {
      await configure({ rate: { count: 10, perSeconds: 1000 } });
      await fill({ "-": 60 });
      expect(await take(100)).toHaveLength(10);
      expect(await take(100)).toEqual([]);
      await forward(250);
      expect(await take(100)).toHaveLength(2);
      await forward(1_000_000);
      expect(await take(100)).toHaveLength(10);
    });

    it("jobs that were not started give their start back", async () => {
      await configure({ rate: { count: 10, perSeconds: 1000 } });
      await fill({ "-": 20 });
      const jobs = await take(100);
      await returnUnstarted(store.database, jobs.slice(0, 4));
      expect(await take(100)).toHaveLength(4);
    });

    it("holds with claims from several connections at once", async () => {
      await configure({ rate: { count: 25, perSeconds: 86_400 } });
      await fill({ "-": 100 });
      const others = Array.from({ length: 4 }, () => store.connect());
      const taken = await Promise.all(
        Array.from({ length: 16 }, async (_, index) => take(3, {}, others[index % 4] as Database)),
      );
      expect(taken.flat()).toHaveLength(25);
    });
  });

  it("claims of several limited queues in opposite orders do not deadlock", async () => {
    const [one, two] = [`${queue}.one`, `${queue}.two`];
    for (const name of [one, two]) {
      await configureQueue(store.database, name, { maxRunning: 1000 }, { actor: "alice", reason: "test" });
      await enqueueMany(
        store.database,
        Array.from({ length: 100 }, () => ({ queue: name, kind: "k" })),
      );
    }
    const others = Array.from({ length: 4 }, () => store.connect());
    const taken = await Promise.all(
      Array.from({ length: 80 }, async (_, index) =>
        claim(others[index % 4] as Database, { workerId, queues: index % 2 === 0 ? [one, two] : [two, one], max: 3 }),
      ),
    );
    expect(taken.flat()).toHaveLength(200);
  });
});

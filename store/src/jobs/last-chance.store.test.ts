import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { configureQueue, type QueuePolicy } from "../queues/configure-queue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim, type ClaimedJob, type ClaimRequest } from "./claim.ts";
import { claimBatch } from "./claim-batch.ts";
import { enqueueMany } from "./enqueue.ts";
import { getJob } from "./read-jobs.ts";
import { recoverStale } from "./recover-stale.ts";
import { returnUnstarted } from "./return-unstarted.ts";

const ACT = { actor: "a", reason: "r" };
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
    queue = `last-${queues}`;
  });

  /** Enqueues jobs that have lost so many workers each, as recovery counts them. */
  async function jobsThatLost(...losses: number[]): Promise<string[]> {
    const jobs = await enqueueMany(
      store.database,
      losses.map(() => ({ queue, kind: "k", concurrencyKey: "key" })),
    );
    const ids = jobs.map(({ id }) => id);
    await store.database.query(
      "update jobqueue.jobs j set recoveries = l.lost from unnest($1::bigint[], $2::int[]) l(id, lost) where j.id = l.id",
      [ids, losses],
    );
    return ids;
  }

  const FORMS: [string, (request: ClaimRequest) => Promise<readonly ClaimedJob[]>][] = [
    ["claim", async (request) => claim(store.database, request)],
    ["claimBatch", async (request) => (await claimBatch(store.database, request)).jobs],
  ];

  for (const [form, take] of FORMS) {
    it(`G9: ${form} says which jobs one more loss makes poison, by the limit of their queue`, async () => {
      const lost = [0, 1, 2, 3];
      const ids = await jobsThatLost(...lost);
      const told = async (): Promise<unknown[]> => {
        const jobs = await take({ workerId, queues: [queue], max: 10 });
        await returnUnstarted(store.database, jobs);
        expect(jobs.map(({ id }) => id)).toEqual(ids);
        return jobs.map(({ lastChance }) => lastChance);
      };
      expect(await told(), "3 losses are poison").toEqual([false, false, true, true]);
      await configureQueue(store.database, queue, { maxRecoveries: 2 }, ACT);
      expect(await told()).toEqual([false, true, true, true]);
      await configureQueue(store.database, queue, { maxRecoveries: 1 }, ACT);
      expect(await told(), "one that has lost none never is").toEqual([false, true, true, true]);
      await configureQueue(store.database, queue, { maxRecoveries: 10 }, ACT);
      expect(await told()).toEqual([false, false, false, false]);
    });

    it.each<[string, QueuePolicy]>([
      ["a queue without limits", {}],
      ["a queue with a limit", { maxRunning: 50 }],
      ["a queue whose keys take turns", { fair: true }],
    ])(`${form} leaves them in %s when the worker has others in its hands`, async (_, policy) => {
      if (Object.keys(policy).length > 0) await configureQueue(store.database, queue, policy, ACT);
      const ids = await jobsThatLost(2, 2, 0, 1, 2);
      const request = { workerId, queues: [queue], max: 10 };
      const others = await take({ ...request, lastChances: false });
      expect(others.map(({ id }) => id)).toEqual([ids[2], ids[3]]);
      expect(await take({ ...request, lastChances: false })).toEqual([]);
      expect((await take(request)).map(({ id }) => id)).toEqual([ids[0], ids[1], ids[4]]);
    });
  }

  it("beside a queue with limits they are left as well", async () => {
    await configureQueue(store.database, `${queue}.limited`, { maxRunning: 50 }, ACT);
    const [, other] = await jobsThatLost(2, 1);
    const jobs = await claim(store.database, {
      workerId,
      queues: [`${queue}.limited`, queue],
      max: 10,
      lastChances: false,
    });
    expect(jobs.map(({ id }) => id)).toEqual([other]);
  });

  it("G9: it is as recovery sees it: given back it loses nothing, lost once more it is dead", async () => {
    const [id = ""] = await jobsThatLost(2);
    const worker = await store.worker();
    const [job] = await claim(store.database, { workerId: worker, queues: [queue], max: 1 });
    await returnUnstarted(store.database, [job as ClaimedJob]);
    await store.lapse(worker);
    expect(await recoverStale(store.database)).toEqual([]);
    expect(await getJob(store.database, id)).toMatchObject({ state: "pending", attempt: 0, recoveries: 2 });
    const another = await store.worker();
    expect(await claim(store.database, { workerId: another, queues: [queue], max: 1 })).toMatchObject([
      { id, lastChance: true },
    ]);
    await store.lapse(another);
    expect(await recoverStale(store.database)).toMatchObject([{ id, outcome: "dead" }]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { configureQueue } from "../queues/configure-queue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { deregisterWorker, registerWorker } from "../workers/register-worker.ts";
import { workersGone } from "../workers/workers-gone.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { claimBatch } from "./claim-batch.ts";
import { complete } from "./complete.ts";
import { enqueue, enqueueMany, type NewJob } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { getJob, listJobs } from "./read-jobs.ts";
import { type LossPolicy, recoverStale } from "./recover-stale.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const queue = "q";
  async function enqueueAndClaim(workerId: string, count: number): Promise<ClaimedJob[]> {
    await enqueueMany(
      store.database,
      Array.from({ length: count }, () => ({ queue, kind: "k" })),
    );
    return claim(store.database, { workerId, queues: [queue], max: count });
  }

  const audit = async () =>
    store.database.query<{ action: string; actor: string; reason: string | null; count: number; after: object }>(
      "select action, actor, reason, count, after from jobqueue.audit_events order by id",
    );

  describe("a job is stale", () => {
    it.each([
      ["when the lease of its worker has lapsed", async (worker: string) => store.lapse(worker)],
      ["when its worker left", async (worker: string) => deregisterWorker(store.database, worker)],
      [
        "when its worker was fenced",
        async (worker: string) =>
          store.database.query("update jobqueue.workers set state = 'fenced' where id = $1", [worker]),
      ],
      [
        "when its worker is missing",
        async (worker: string) => store.database.query("delete from jobqueue.workers where id = $1", [worker]),
      ],
      [
        "when its pod is gone",
        async () => workersGone(store.database, { podUids: ["pod-1"], actor: "operator", reason: "deleted" }),
      ],
      [
        "when its container has a new worker",
        async () => registerWorker(store.database, { bootId: "next", podUid: "pod-1" }),
      ],
    ])("%s", async (_, lose) => {
      const doomed = await store.worker({ podUid: "pod-1" });
      const alive = await store.worker({ podUid: "pod-2" });
      const [lost] = await enqueueAndClaim(doomed, 1);
      const [kept] = await enqueueAndClaim(alive, 1);
      await lose(doomed);
      expect(await getJob(store.database, lost?.id ?? "")).toMatchObject({ state: "running", isStale: true });
      expect(await getJob(store.database, kept?.id ?? "")).toMatchObject({ state: "running", isStale: false });
      expect(await recoverStale(store.database)).toEqual([
        { id: lost?.id, outcome: "retried", queue, workerId: doomed },
      ]);
      expect(await recoverStale(store.database)).toEqual([]);
      expect(await getJob(store.database, lost?.id ?? "")).toMatchObject({
        state: "pending",
        workerId: null,
        leaseToken: null,
      });
      expect(await getJob(store.database, kept?.id ?? "")).toMatchObject({ state: "running" });
    });
  });

  it.each([
    ["claim", claim],
    ["claimBatch", claimBatch],
  ])("the trace context of a %s goes to the next attempt of the job whose worker was lost", async (_, take) => {
    const [doomed, heir] = [await store.worker(), await store.worker()];
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const request = { queues: [queue], max: 1 };
    const { id } = await enqueue(store.database, { queue, kind: "k" });
    await take(store.database, { ...request, workerId: doomed, traceparent });
    await store.lapse(doomed);
    await recoverStale(store.database);
    expect((await getJob(store.database, id))?.lastRecovery).toMatchObject({ worker: doomed, traceparent });
    const { jobs } = await claimBatch(store.database, { ...request, workerId: heir });
    expect(jobs).toMatchObject([{ id, lostTraceparent: traceparent, ageMs: undefined }]);
    // A claim that says nothing leaves nothing.
    await store.lapse(heir);
    await recoverStale(store.database);
    expect((await getJob(store.database, id))?.lastRecovery).not.toHaveProperty("traceparent");
  });

  it("G9: a loss spends no attempt, is counted apart, and keeps error, place and who recovered it why", async () => {
    const worker = await store.worker();
    const [job, other] = await enqueueAndClaim(worker, 2);
    await fail(store.database, [{ ...(job as ClaimedJob), error: "its own" }]);
    await store.makeDue(job?.id ?? "");
    const again = await claim(store.database, { workerId: worker, queues: [queue], max: 1 });
    expect(again[0]?.attempt).toBe(2);
    await store.lapse(worker);
    await recoverStale(store.database, { actor: "alice", reason: "node 7 burnt" });
    expect(await getJob(store.database, job?.id ?? "")).toMatchObject({
      state: "pending",
      attempt: 1,
      recoveries: 1,
      lastError: "its own",
      lastRecovery: { actor: "alice", reason: "node 7 burnt", worker },
    });
    const next = await claim(store.database, { workerId: await store.worker(), queues: [queue], max: 2 });
    expect(next.map((claimed) => [claimed.id, claimed.attempt])).toEqual([
      [other?.id, 1],
      [job?.id, 2],
    ]);
  });

  it("G9: the third loss makes a job dead with reason poison; others of the same worker are not", async () => {
    const [job] = await enqueueAndClaim(await store.worker(), 1);
    const id = job?.id ?? "";
    const outcomes = [];
    for (let loss = 1; loss <= 3; loss += 1) {
      const worker = await store.worker();
      if (loss > 1) await claim(store.database, { workerId: worker, queues: [queue], max: 1 });
      else {
        await store.database.query("update jobqueue.jobs set worker_id = $1", [worker]);
        await store.database.query("update jobqueue.leases set worker_id = $1", [worker]);
      }
      if (loss === 3) await enqueueAndClaim(worker, 1);
      await store.lapse(worker);
      outcomes.push(...(await recoverStale(store.database)));
    }
    const bystander = (await listJobs(store.database, { queue, state: "pending" }))[0];
    expect(outcomes.slice(0, 2)).toMatchObject([
      { id, outcome: "retried" },
      { id, outcome: "retried" },
    ]);
    expect(outcomes.slice(2).toSorted((a, b) => Number(a.id) - Number(b.id))).toMatchObject([
      { id, outcome: "dead" },
      { id: bystander?.id, outcome: "retried" },
    ]);
    const dead = await getJob(store.database, id);
    expect(dead).toMatchObject({ state: "dead", deadReason: "poison", recoveries: 3, attempt: 0 });
    expect(dead?.lastError).toMatch(/^poison: it lost 3 workers, the last was worker \d+$/);
  });

  it("T4, G3: is not starved by 100,000 running jobs that it may not touch, nor does it walk over them", async () => {
    const [alive, other] = [await store.worker(), await store.worker()];
    await store.database.query(
      `insert into jobqueue.jobs (queue, kind, payload, state, lease_token, worker_id)
       select 'busy', 'k', '{}', 1, -1 - i % 1000, case when i % 2 = 0 then $1::bigint else $2 end from generate_series(1, 100000) i`,
      [alive, other],
    );
    await store.database.query(
      `insert into jobqueue.leases (token, worker_id, ids, claimed_at)
       select lease_token, worker_id, array_agg(id), clock_timestamp() - interval '1 hour' from jobqueue.jobs group by 1, 2`,
    );
    const doomed = await store.worker();
    const [lost] = await enqueueAndClaim(doomed, 1);
    await store.lapse(doomed);
    // A new connection, which has no other statistics pending.
    const touched = await store.connect().transaction(async (session) => {
      expect(await recoverStale(session, { max: 1 })).toMatchObject([{ id: lost?.id, outcome: "retried" }]);
      return session.query<{ rows: string }>(
        `select seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables
         where schemaname = 'jobqueue' and relname = 'jobs'`,
      );
    });
    expect(Number(touched[0]?.rows)).toBeLessThan(40);
  });

  it("T3: moves each job once when many recover at the same time", async () => {
    const doomed = [await store.worker(), await store.worker(), await store.worker()];
    for (const worker of doomed) await enqueueAndClaim(worker, 100);
    for (const worker of doomed) await store.lapse(worker);
    const callers = [store.database, store.connect(), store.connect(), store.connect()];
    const recovered = await Promise.all(
      callers.map(async (database, index) => {
        const mine: string[] = [];
        for (;;) {
          const batch = await recoverStale(database, { max: 20, actor: `caller-${index}` });
          if (batch.length === 0) return mine;
          mine.push(...batch.map((job) => job.id));
        }
      }),
    );
    const ids = recovered.flat();
    expect(ids).toHaveLength(300);
    expect(new Set(ids).size).toBe(300);
    const once = await store.database.query(
      "select id from jobqueue.jobs where state in (0, 2) and recoveries = 1 and attempt = 0",
    );
    expect(once).toHaveLength(300);
    const events = await audit();
    expect(events.reduce((sum, event) => sum + event.count, 0)).toBe(300);
    expect(events.every((event) => event.action === "recover_stale")).toBe(true);
  });

  it("leaves a worker alone whose heartbeat is just being written", async () => {
    const worker = await store.worker();
    await enqueueAndClaim(worker, 1);
    const other = store.connect();
    // Others still see the old lease, which lapses between the heartbeat's statement and its commit.
    await store.lapse(worker);
    await store.database.transaction(async (session) => {
      await session.query(
        "update jobqueue.workers set lease_until = clock_timestamp() + interval '1 hour' where id = $1",
        [worker],
      );
      expect(await recoverStale(other)).toEqual([]);
    });
    expect(await recoverStale(other)).toEqual([]);
  });

  it("recovers only jobs of the workers it was told, and writes an audit event only when it did something (G19)", async () => {
    const [first, second] = [await store.worker(), await store.worker()];
    const [one] = await enqueueAndClaim(first, 1);
    await enqueueAndClaim(second, 1);
    expect(await recoverStale(store.database, { workers: [first], actor: "operator", reason: "too early" })).toEqual(
      [],
    );
    await store.lapse(first);
    await store.lapse(second);
    expect(await recoverStale(store.database, { workers: [] })).toEqual([]);
    expect(await audit()).toEqual([]);
    await recoverStale(store.database, { workers: [first], actor: "operator", reason: "pod gone" });
    expect(await audit()).toEqual([
      {
        action: "recover_stale",
        actor: "operator",
        reason: "pod gone",
        count: 1,
        after: { workers: [Number(first)], outcomes: { retried: 1 }, jobs: [Number(one?.id)] },
      },
    ]);
  });

  it("a rolled back recovery leaves neither change nor audit event", async () => {
    const worker = await store.worker();
    const [job] = await enqueueAndClaim(worker, 1);
    await store.lapse(worker);
    const undone = store.database.transaction(async (session) => {
      await recoverStale(session);
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    expect(await getJob(store.database, job?.id ?? "")).toMatchObject({ state: "running", isStale: true });
    expect(await audit()).toEqual([]);
  });

  it("a row that somebody else has locked is left for the next time, not waited for", async () => {
    const worker = await store.worker();
    const jobs = await enqueueAndClaim(worker, 2);
    await store.lapse(worker);
    const other = store.connect();
    await store.database.transaction(async (session) => {
      await session.query("select from jobqueue.jobs where id = $1 for update", [jobs[0]?.id]);
      expect(await recoverStale(other)).toMatchObject([{ id: jobs[1]?.id, outcome: "retried" }]);
    });
    expect(await recoverStale(other)).toMatchObject([{ id: jobs[0]?.id, outcome: "retried" }]);
  });

  describe("the policy", () => {
    const lose = async (job: Partial<NewJob> = {}): Promise<string> => {
      const worker = await store.worker();
      const { id } = await enqueue(store.database, { queue, kind: "k", ...job });
      await claim(store.database, { workerId: worker, queues: [queue], max: 1 });
      await store.lapse(worker);
      return id;
    };

    it("fail makes the job dead at its first loss, and says so", async () => {
      const id = await lose();
      await configureQueue(store.database, queue, { onWorkerLoss: "fail" }, { actor: "a", reason: "r" });
      expect(await recoverStale(store.database)).toMatchObject([{ id, outcome: "failed" }]);
      const job = await getJob(store.database, id);
      expect(job).toMatchObject({ state: "dead", deadReason: "worker_lost", attempt: 0, recoveries: 1 });
      expect(job?.lastError).toMatch(/^worker \d+ was lost while it ran/);
    });

    it("hold keeps the job for a person, and no sweep takes it up", async () => {
      const id = await lose();
      await configureQueue(store.database, queue, { onWorkerLoss: "hold" }, { actor: "a", reason: "r" });
      expect(await recoverStale(store.database)).toMatchObject([{ id, outcome: "held" }]);
      expect(await getJob(store.database, id)).toMatchObject({
        state: "deferred",
        canRetry: true,
        workerId: null,
        lastRecovery: { policy: "hold" },
      });
      await store.database.query("select jobqueue.release_deferred(100)");
      expect(await recoverStale(store.database)).toEqual([]);
      expect(await getJob(store.database, id)).toMatchObject({ state: "deferred" });
    });

    it("of the call goes before that of the job, which goes before that of the queue", async () => {
      await configureQueue(store.database, queue, { onWorkerLoss: "fail" }, { actor: "a", reason: "r" });
      const id = await lose();
      await store.database.query(`update jobqueue.jobs set options = '{"on_worker_loss": "hold"}' where id = $1`, [id]);
      expect(await recoverStale(store.database, { policy: "retry", dryRun: true })).toMatchObject([
        { id, outcome: "retried" },
      ]);
      expect(await recoverStale(store.database)).toMatchObject([{ id, outcome: "held" }]);
    });

    it("G9: the queue says how many losses are poison", async () => {
      await configureQueue(store.database, queue, { maxRecoveries: 1 }, { actor: "a", reason: "r" });
      const id = await lose();
      expect(await recoverStale(store.database)).toMatchObject([{ id, outcome: "dead" }]);
      expect(await getJob(store.database, id)).toMatchObject({ deadReason: "poison", recoveries: 1 });
    });
  });

  describe("scope", () => {
    it("a dry run says what would be done, and changes and audits nothing", async () => {
      const worker = await store.worker();
      const [job] = await enqueueAndClaim(worker, 1);
      await store.lapse(worker);
      expect(await recoverStale(store.database, { dryRun: true })).toMatchObject([{ id: job?.id, outcome: "retried" }]);
      expect(await getJob(store.database, job?.id ?? "")).toMatchObject({ state: "running", isStale: true });
      expect(await audit()).toEqual([]);
    });

    it("takes only jobs of the queue, and only those claimed long enough ago", async () => {
      const worker = await store.worker();
      const [young] = await enqueueAndClaim(worker, 1);
      const { id: foreign } = await enqueue(store.database, { queue: "other", kind: "k" });
      await claim(store.database, { workerId: worker, queues: ["other"], max: 1 });
      await store.lapse(worker);
      expect(await recoverStale(store.database, { queue, olderThanSeconds: 60 })).toEqual([]);
      expect(await recoverStale(store.database, { queue })).toMatchObject([{ id: young?.id, queue }]);
      expect(await recoverStale(store.database)).toMatchObject([{ id: foreign, queue: "other" }]);
    });
  });

  it("a job past its deadline is stale although its worker lives, and the worker's word is void then (G5)", async () => {
    const worker = await store.worker();
    await enqueue(store.database, { queue, kind: "k", timeoutSeconds: 1 });
    const [job] = await claim(store.database, { workerId: worker, queues: [queue], max: 1 });
    expect(await recoverStale(store.database)).toEqual([]);
    await store.database.query("update jobqueue.jobs set deadline = clock_timestamp() where deadline is not null");
    expect(await getJob(store.database, job?.id ?? "")).toMatchObject({ isStale: true });
    expect(await recoverStale(store.database)).toMatchObject([{ id: job?.id, outcome: "retried", workerId: worker }]);
    expect(await complete(store.database, [job as ClaimedJob])).toEqual([job?.id]);
    expect(await getJob(store.database, job?.id ?? "")).toMatchObject({
      state: "pending",
      lastRecovery: { cause: "deadline" },
    });
  });

  it("after the loss of many the first hundred go on at once in their order, the rest within five seconds", async () => {
    const worker = await store.worker();
    const jobs = await enqueueAndClaim(worker, 250);
    await store.lapse(worker);
    expect(await recoverStale(store.database)).toHaveLength(250);
    const again = await claim(store.database, { workerId: await store.worker(), queues: [queue], max: 100 });
    expect(again.map(({ id }) => id)).toEqual(jobs.slice(0, 100).map(({ id }) => id));
    const [rest] = await store.database.query<{ late: string; count: string }>(
      `select count(*) as count, count(*) filter (where run_at > clock_timestamp() + interval '5 seconds') as late
       from jobqueue.jobs where state in (0, 2)`,
    );
    expect(rest).toEqual({ count: "150", late: "0" });
  });

  it("forgets lease rows that are over: of lost workers, and of live ones that never say so themselves", async () => {
    const [lost, live] = [await store.worker(), await store.worker()];
    await enqueueAndClaim(lost, 3);
    for (let at = 0; at < 50; at += 1) await complete(store.database, await enqueueAndClaim(live, 1));
    const [running] = await enqueueAndClaim(live, 1);
    await store.database.query("update jobqueue.leases set claimed_at = claimed_at - interval '2 minutes'");
    await store.lapse(lost);
    // Where it begins is drawn anew each time.
    for (let sweep = 0; sweep < 60; sweep += 1) await recoverStale(store.database);
    const left = await store.database.query<{ worker_id: string; ids: string[] }>(
      "select worker_id, ids from jobqueue.leases order by token",
    );
    expect(left).toContainEqual({ worker_id: live, ids: [running?.id] });
    expect(left.length).toBeLessThan(10);
    expect(left.filter((row) => row.worker_id === lost)).toEqual([]);
  });

  it.each([
    [{ max: 0 }, "max is 0: write 1 to 100000"],
    [{ max: 100_001 }, "max is 100001: write 1 to 100000"],
    [{ policy: "drop" as LossPolicy }, "policy is 'drop': write retry, fail or hold"],
    [{ olderThanSeconds: -1 }, "older_than_seconds is -1: write 0 to"],
    [{ actor: "" }, "actor must have 1 to 256 characters"],
  ])("%j is refused", async (request, words) => {
    await expect(recoverStale(store.database, request)).rejects.toThrow(words);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue, enqueueMany, type NewJob } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { getJob, listJobs } from "./read-jobs.ts";
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
    queue = `options-${queues}`;
  });

  const claimOne = async (): Promise<ClaimedJob> => {
    const [job] = await claim(store.database, { workerId, queues: [queue], max: 1 });
    if (!job) throw new Error("nothing to claim");
    return job;
  };
  const row = async (id: string) => (await store.database.query("select * from jobqueue.jobs where id = $1", [id]))[0];

  it("what a job does not say comes from its queue, and is copied when it is enqueued", async () => {
    await store.database.query(
      "insert into jobqueue.queues (name, max_attempts, timeout_ms, result_ttl_seconds) values ($1, 7, 1500, 60)",
      [queue],
    );
    const [plain, own] = await enqueueMany(store.database, [
      { queue, kind: "k" },
      { queue, kind: "k", maxAttempts: 2, timeoutSeconds: 9, resultTtlSeconds: 0 },
    ]);
    await store.database.query("update jobqueue.queues set max_attempts = 1 where name = $1", [queue]);
    expect(await row(plain?.id ?? "")).toMatchObject({ max_attempts: 7, timeout_ms: 1500, result_ttl_seconds: 60 });
    expect(await row(own?.id ?? "")).toMatchObject({ max_attempts: 2, timeout_ms: 9000, result_ttl_seconds: 0 });
  });

  it("options that few jobs have reach the worker; most jobs have none", async () => {
    await enqueue(store.database, {
      queue,
      kind: "k",
      retry: { intervalsSeconds: [1, 2] },
      onWorkerLoss: "hold",
      concurrencyKey: "tenant-1",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    });
    expect(await claimOne()).toMatchObject({
      concurrencyKey: "tenant-1",
      options: {
        retry: { intervals_seconds: [1, 2] },
        on_worker_loss: "hold",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      },
    });
  });

  describe("a unique key with replace", () => {
    const key = () => ({ queue, uniqueKey: `key of ${queue}`, uniqueMode: "replace" as const });

    it("makes the waiting job the new one, under its id", async () => {
      const first = await enqueue(store.database, { ...key(), kind: "old", payload: 1, priority: 9, tag: "old" });
      const second = await enqueue(store.database, {
        ...key(),
        kind: "new",
        payload: 2,
        delaySeconds: 60,
        onWorkerLoss: "fail",
      });
      expect(second).toEqual({ id: first.id, outcome: "replaced" });
      expect(await getJob(store.database, first.id)).toMatchObject({
        kind: "new",
        payload: 2,
        priority: 0,
        tag: null,
        state: "scheduled",
      });
      expect(await listJobs(store.database, { queue })).toHaveLength(1);
    });

    it("gives a failed job its attempts back", async () => {
      const { id } = await enqueue(store.database, { ...key(), kind: "k" });
      await fail(store.database, [{ ...(await claimOne()), error: "the old payload" }]);
      expect((await enqueue(store.database, { ...key(), kind: "k" })).outcome).toBe("replaced");
      expect(await getJob(store.database, id)).toMatchObject({ state: "pending", attempt: 0, lastError: null });
    });

    it("leaves a running job alone", async () => {
      const { id } = await enqueue(store.database, { ...key(), kind: "k", payload: 1 });
      await claimOne();
      expect(await enqueue(store.database, { ...key(), kind: "k", payload: 2 })).toEqual({ id, outcome: "duplicate" });
      expect(await getJob(store.database, id)).toMatchObject({ state: "running", payload: 1 });
    });

    it("from many callers at once leaves one job, whatever the order of their keys", async () => {
      const keys = ["a", "b", "c"].map((name) => `${queue} ${name}`);
      const jobs = (order: string[]): NewJob[] =>
        order.map((uniqueKey) => ({ queue, kind: "k", uniqueKey, uniqueMode: "replace" }));
      await enqueueMany(store.database, jobs(keys));
      const others = [store.connect(), store.connect()];
      const results = await Promise.all(
        Array.from({ length: 30 }, async (_, index) =>
          enqueueMany(
            others[index % 2] ?? store.database,
            jobs([...keys.slice(index % 3), ...keys.slice(0, index % 3)]),
          ),
        ),
      );
      expect(new Set(results.flat().map((job) => job.outcome))).toEqual(new Set(["replaced"]));
      expect(await listJobs(store.database, { queue })).toHaveLength(3);
    });
  });

  describe("G2: a key that is kept after the end", () => {
    it("makes a repeat that arrives after the first job is done a duplicate, with the id of that job", async () => {
      const job: NewJob = { queue, kind: "k", uniqueKey: `kept ${queue}`, uniqueForSeconds: 3600 };
      const { id } = await enqueue(store.database, job);
      await complete(store.database, [await claimOne()]);
      expect(await enqueue(store.database, job)).toEqual({ id, outcome: "duplicate" });
      expect(await enqueue(store.database, { ...job, uniqueMode: "replace" })).toEqual({ id, outcome: "duplicate" });
      expect(await listJobs(store.database, { queue })).toHaveLength(1);
      const both = await enqueueMany(store.database, [job, { queue, kind: "k" }, job]);
      expect(both.map(({ outcome }) => outcome)).toEqual(["duplicate", "inserted", "duplicate"]);
      expect([both[0]?.id, both[2]?.id]).toEqual([id, id]);
    });

    it("is free again when the time is over", async () => {
      const job: NewJob = { queue, kind: "k", uniqueKey: `kept ${queue}`, uniqueForSeconds: 3600 };
      await enqueue(store.database, job);
      await complete(store.database, [await claimOne()]);
      await store.database.query("update jobqueue.kept_keys set until = clock_timestamp() where unique_key = $1", [
        job.uniqueKey,
      ]);
      expect((await enqueue(store.database, job)).outcome).toBe("inserted");
      await complete(store.database, [await claimOne()]);
      expect((await enqueue(store.database, job)).outcome, "each end begins the time anew").toBe("duplicate");
    });

    it("holds for a repeat that waits while the first job is being finished", async () => {
      const job: NewJob = { queue, kind: "k", uniqueKey: `kept ${queue}`, uniqueForSeconds: 3600 };
      const { id } = await enqueue(store.database, job);
      const claimed = await claimOne();
      let repeat: Promise<unknown> = Promise.resolve();
      await store.database.transaction(async (session) => {
        await complete(session, [claimed]);
        repeat = enqueue(store.connect(), job);
        await store.someoneWaits();
      });
      expect(await repeat).toEqual({ id, outcome: "duplicate" });
    });
  });

  describe("dependencies", () => {
    const finish = async (id: string, how: (job: ClaimedJob) => Promise<unknown>) => {
      await store.database.query("update jobqueue.jobs set priority = -100 where id = $1", [id]);
      const job = await claimOne();
      expect(job.id).toBe(id);
      await how(job);
    };
    const completes = async (job: ClaimedJob) => complete(store.database, [job]);
    const dies = async (job: ClaimedJob) => fail(store.database, [{ ...job, error: "no", permanent: true }]);

    it("defer a job until all of them are completed", async () => {
      const [a, b] = await enqueueMany(store.database, [
        { queue, kind: "k" },
        { queue, kind: "k" },
      ]);
      const { id } = await enqueue(store.database, { queue, kind: "k", dependsOn: [a?.id ?? "", { id: b?.id ?? "" }] });
      expect((await getJob(store.database, id))?.state).toBe("deferred");
      await finish(a?.id ?? "", completes);
      expect((await getJob(store.database, id))?.state).toBe("deferred");
      await finish(b?.id ?? "", completes);
      expect((await getJob(store.database, id))?.state).toBe("pending");
      expect((await claimOne()).id).toBe(id);
    });

    it("whose end finds its run_at ahead leave it scheduled", async () => {
      const parent = await enqueue(store.database, { queue, kind: "k" });
      const { id } = await enqueue(store.database, { queue, kind: "k", dependsOn: [parent.id], delaySeconds: 3600 });
      await finish(parent.id, completes);
      expect((await getJob(store.database, id))?.state).toBe("scheduled");
    });

    it("that die cancel what waits for them, and so on down the chain; run lets it run", async () => {
      const parent = await enqueue(store.database, { queue, kind: "k" });
      const cancelled = await enqueue(store.database, { queue, kind: "k", dependsOn: [parent.id] });
      const next = await enqueue(store.database, { queue, kind: "k", dependsOn: [cancelled.id] });
      const runs = await enqueue(store.database, {
        queue,
        kind: "k",
        dependsOn: [{ id: next.id, policy: "run" }],
      });
      await finish(parent.id, dies);
      expect(await getJob(store.database, cancelled.id)).toMatchObject({
        state: "cancelled",
        lastError: `cancelled: it depends on job ${parent.id}, which is dead`,
      });
      expect(await getJob(store.database, next.id)).toMatchObject({
        state: "cancelled",
        lastError: `cancelled: it depends on job ${cancelled.id}, which is cancelled`,
      });
      expect((await getJob(store.database, runs.id))?.state).toBe("pending");
      expect(await store.database.query("select from jobqueue.job_dependencies")).toEqual([]);
    });

    it("a chain of 500 is cancelled to its end", async () => {
      const parent = await enqueue(store.database, { queue, kind: "k" });
      await store.database.query(
        `do $$ declare v_id bigint := ${parent.id}; begin
           for i in 1..500 loop
             select id from jobqueue.enqueue('${queue}', 'k', options => jsonb_build_object('depends_on', jsonb_build_array(v_id))) into v_id;
           end loop;
         end $$`,
      );
      await finish(parent.id, dies);
      const [left] = await store.database.query("select count(*)::int as n from jobqueue.jobs where queue = $1", [
        queue,
      ]);
      expect(left).toEqual({ n: 0 });
    });

    it("that are over already are looked at, and one that nobody knows is refused", async () => {
      const [done, dead] = await enqueueMany(store.database, [
        { queue, kind: "k" },
        { queue, kind: "k" },
      ]);
      await finish(done?.id ?? "", completes);
      await finish(dead?.id ?? "", dies);
      const after = await enqueueMany(store.database, [
        { queue, kind: "k", dependsOn: [done?.id ?? ""] },
        { queue, kind: "k", dependsOn: [dead?.id ?? ""] },
        { queue, kind: "k", dependsOn: [{ id: dead?.id ?? "", policy: "run" }] },
        { queue, kind: "k", dependsOn: [] },
      ]);
      const states = await Promise.all(after.map(async ({ id }) => (await getJob(store.database, id))?.state));
      expect(states).toEqual(["pending", "cancelled", "pending", "pending"]);
      await expect(enqueue(store.database, { queue, kind: "k", dependsOn: ["987654321"] })).rejects.toThrow(
        "option depends_on names job 987654321, which the store does not have: it was deleted",
      );
    });

    it("two that end in transactions which cannot see each other release the job all the same", async () => {
      const [a, b] = await enqueueMany(store.database, [
        { queue, kind: "k" },
        { queue, kind: "k" },
      ]);
      const { id } = await enqueue(store.database, { queue, kind: "k", dependsOn: [a?.id ?? "", b?.id ?? ""] });
      const [first, second] = [await claimOne(), await claimOne()];
      // The first holds on for longer than the second is willing to wait.
      await store.database.transaction(async (session) => {
        await complete(session, [first]);
        await complete(store.connect(), [second]);
      });
      expect((await getJob(store.database, id))?.state).toBe("deferred");
      expect(await store.database.query("select jobqueue.release_deferred() as released")).toEqual([{ released: "1" }]);
      expect((await getJob(store.database, id))?.state).toBe("pending");
      expect(await store.database.query("select jobqueue.release_deferred() as released")).toEqual([{ released: "0" }]);
    });

    it("one that ends while the waiting job is not yet committed is found by the next sweep", async () => {
      const parent = await enqueue(store.database, { queue, kind: "k" });
      const claimed = await claimOne();
      const { id } = await store.database.transaction(async (session) => {
        const waiting = await enqueue(session, { queue, kind: "k", dependsOn: [parent.id] });
        await complete(store.connect(), [claimed]);
        return waiting;
      });
      expect((await getJob(store.database, id))?.state).toBe("deferred");
      await store.database.query("select jobqueue.release_deferred()");
      expect((await getJob(store.database, id))?.state).toBe("pending");
    });

    it("the last of two that end at once waits a moment for the other, and releases the job", async () => {
      const [a, b] = await enqueueMany(store.database, [
        { queue, kind: "k" },
        { queue, kind: "k" },
      ]);
      const { id } = await enqueue(store.database, { queue, kind: "k", dependsOn: [a?.id ?? "", b?.id ?? ""] });
      const [first, second] = [await claimOne(), await claimOne()];
      let last: Promise<unknown> = Promise.resolve();
      await store.database.transaction(async (session) => {
        await complete(session, [first]);
        last = complete(store.connect(), [second]);
        await store.someoneWaits();
      });
      expect(await last).toEqual([]);
      expect((await getJob(store.database, id))?.state).toBe("pending");
    });

    it("twenty that end at once on several connections release the job, at the latest by the next sweep", async () => {
      const parents = await enqueueMany(
        store.database,
        Array.from({ length: 20 }, () => ({ queue, kind: "k" })),
      );
      const { id } = await enqueue(store.database, { queue, kind: "k", dependsOn: parents.map((parent) => parent.id) });
      const claimed = await claim(store.database, { workerId, queues: [queue], max: 20 });
      const others = [store.connect(), store.connect()];
      await Promise.all(claimed.map(async (job, index) => complete(others[index % 2] ?? store.database, [job])));
      await store.database.query("select jobqueue.release_deferred()");
      expect((await getJob(store.database, id))?.state).toBe("pending");
    });
  });

  describe("a finaliser", () => {
    it.each([
      ["completed", async (job: ClaimedJob) => complete(store.database, [job])],
      ["dead", async (job: ClaimedJob) => fail(store.database, [{ ...job, error: "no", permanent: true }])],
    ])("is enqueued when its job is %s, and named in the history", async (state, end) => {
      const { id } = await enqueue(store.database, { queue, kind: "k", finaliser: { kind: "tidy" } });
      await end(await claimOne());
      const [history] = await store.database.query<{ finaliser_id: string }>(
        "select finaliser_id from jobqueue.job_history where id = $1",
        [id],
      );
      expect(await getJob(store.database, history?.finaliser_id ?? "")).toMatchObject({
        queue,
        kind: "tidy",
        state: "pending",
        payload: { job: id, generation: 1, state },
      });
    });

    it("has the queue and payload it was given, and is enqueued once, when the job is over", async () => {
      await enqueue(store.database, {
        queue,
        kind: "k",
        finaliser: { kind: "tidy", queue: `${queue}.after`, payload: [1] },
      });
      await snooze(store.database, [{ ...(await claimOne()), delaySeconds: 0 }]);
      const job = await claimOne();
      expect(await listJobs(store.database, { queue: `${queue}.after` })).toEqual([]);
      await complete(store.database, [job]);
      await complete(store.database, [job]);
      expect(await listJobs(store.database, { queue: `${queue}.after` })).toMatchObject([
        { kind: "tidy", payload: [1] },
      ]);
    });
  });

  const refused: [string, string, RegExp][] = [
    ["unique_mode without a key", `{"unique_mode": "replace"}`, /option unique_mode needs the option unique_key/],
    [
      "another unique_mode",
      `{"unique_key": "k", "unique_mode": "x"}`,
      /option unique_mode is "x": write skip or replace/,
    ],
    [
      "a retry that is a word",
      `{"retry": "often"}`,
      /option retry must be an object, not "often".*exponential, intervals_seconds/,
    ],
    ["two retries", `{"retry": {"exponential": {}, "intervals_seconds": [1]}}`, /must have either exponential or/],
    ["no intervals", `{"retry": {"intervals_seconds": []}}`, /an array of 1 to 100 numbers/],
    [
      "a negative interval",
      `{"retry": {"intervals_seconds": [-1]}}`,
      /intervals_seconds is -1: write a number of seconds from 0/,
    ],
    [
      "120 % jitter",
      `{"retry": {"exponential": {"jitter_percent": 120}}}`,
      /jitter_percent is 120: write a number from 0 to 100/,
    ],
    [
      "a misspelt retry",
      `{"retry": {"exponential": {"max": 1}}}`,
      /option retry exponential has the unknown key 'max'/,
    ],
    ["a TTL below zero", `{"result_ttl_seconds": -1}`, /option result_ttl_seconds is -1: write a whole number from 0/],
    ["a loss policy", `{"on_worker_loss": "panic"}`, /option on_worker_loss is "panic": write retry or fail or hold/],
    ["a dependency on nothing", `{"depends_on": [null]}`, /option depends_on names null, which is no id of a job/],
    ["a dependency on a name", `{"depends_on": ["x"]}`, /option depends_on names "x", which is no id/],
    ["a dependency with another policy", `{"depends_on": [{"id": 1, "policy": "wait"}]}`, /write cancel or run/],
    ["a finaliser without a kind", `{"finaliser": {}}`, /null cannot be the kind of a job/],
    [
      "a finaliser with options",
      `{"finaliser": {"kind": "k", "priority": 1}}`,
      /unknown key 'priority'.*kind, queue, payload/,
    ],
    ["a trace that is none", `{"traceparent": "abc"}`, /write it as W3C Trace Context does/],
  ];
  it.each(refused)("%s is refused in words", async (_, options, words) => {
    const enqueued = store.database.query("select * from jobqueue.enqueue('q', 'k', '{}', $1)", [options]);
    await expect(enqueued).rejects.toThrow(words);
    await expect(enqueued).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("an option that is null is absent", async () => {
    const enqueued = await store.database.query(
      `select outcome from jobqueue.enqueue('q', 'k', options => '{"tag": null, "run_at": null, "depends_on": null}')`,
    );
    expect(enqueued).toEqual([{ outcome: "inserted" }]);
  });
});

import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { StoreError } from "../errors.ts";
import { sessionOn } from "../session.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { deregisterWorker } from "../workers/register-worker.ts";
import { claim } from "./claim.ts";
import { enqueue, enqueueMany } from "./enqueue.ts";
import { getJob } from "./read-jobs.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let workerId: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    workerId = await store.worker();
  });
  afterAll(async () => store.close());

  describe("G12: claim order", () => {
    it("with one claimer is exactly priority, run_at, id", async () => {
      const past = (hours: number) => new Date(Date.now() - hours * 3_600_000);
      const jobs = await enqueueMany(store.database, [
        { queue: "order", kind: "k", payload: "third: default priority, oldest run_at", runAt: past(3) },
        { queue: "order", kind: "k", payload: "first: lowest number", priority: -1 },
        { queue: "order", kind: "k", payload: "last", priority: 1, runAt: past(9) },
        { queue: "order", kind: "k", payload: "fifth: now, by id" },
        { queue: "order", kind: "k", payload: "sixth: now, by id" },
        { queue: "order", kind: "k", payload: "second: same, later", priority: -1 },
        { queue: "order", kind: "k", payload: "fourth", runAt: past(2) },
      ]);
      const expected = [1, 5, 0, 6, 3, 4, 2].map((index) => jobs[index]?.id);
      const claimed: string[] = [];
      for (const max of [1, 3, 10]) {
        const batch = await claim(store.database, { workerId, queues: ["order"], max });
        claimed.push(...batch.map((job) => job.id));
      }
      expect(claimed).toEqual(expected);
    });

    it("serves several queues strictly in the order given, whatever the priorities", async () => {
      const jobs = await enqueueMany(store.database, [
        { queue: "low", kind: "k", priority: -100 },
        { queue: "high", kind: "k", priority: 100 },
        { queue: "default", kind: "k" },
        { queue: "high", kind: "k" },
        { queue: "low", kind: "k" },
      ]);
      const ids = (indexes: number[]) => indexes.map((index) => jobs[index]?.id);
      const queues = ["high", "default", "low"];
      const first = await claim(store.database, { workerId, queues, max: 2 });
      expect(first.map((job) => job.id)).toEqual(ids([3, 1]));
      const second = await claim(store.database, { workerId, queues, max: 2 });
      expect(second.map((job) => job.id)).toEqual(ids([2, 0]));
      // What arrives for a queue further up goes before what waits further down.
      const late = await enqueue(store.database, { queue: "high", kind: "k", priority: 999 });
      const third = await claim(store.database, { workerId, queues, max: 10 });
      expect(third.map((job) => job.id)).toEqual([late.id, jobs[4]?.id]);
    });

    it("a queue named twice, or unknown, changes nothing", async () => {
      const jobs = await enqueueMany(store.database, [
        { queue: "twice", kind: "k" },
        { queue: "twice", kind: "k" },
      ]);
      const claimed = await claim(store.database, { workerId, queues: ["twice", "no-such-queue", "twice"], max: 10 });
      expect(claimed.map((job) => job.id)).toEqual(jobs.map((job) => job.id));
      expect(await claim(store.database, { workerId, queues: [], max: 10 })).toEqual([]);
    });

    it("concurrent claimers share the jobs: each goes to one of them", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 400 }, () => ({ queue: "shared", kind: "k" })),
      );
      const others = [store.connect(), store.connect(), store.connect(), store.connect()];
      const claimed = await Promise.all(
        others.map(async (database) => {
          const mine = [];
          for (;;) {
            const batch = await claim(database, { workerId, queues: ["shared"], max: 7 });
            if (batch.length === 0) return mine;
            mine.push(...batch);
          }
        }),
      );
      const ids = claimed.flat().map((job) => job.id);
      expect(ids).toHaveLength(400);
      expect(new Set(ids).size).toBe(400);
    });
  });

  describe("G10: by the database's clock", () => {
    it("a job is not claimed before its run_at, and is from then on", async () => {
      const { id } = await enqueue(store.database, {
        queue: "later",
        kind: "k",
        delaySeconds: 3600,
        priority: -32_768,
      });
      expect(await claim(store.database, { workerId, queues: ["later"], max: 10 })).toEqual([]);
      expect((await getJob(store.database, id))?.state).toBe("scheduled");
      await store.makeDue(id);
      expect((await getJob(store.database, id))?.state, "due, though no claim has noticed").toBe("pending");
      const [claimed] = await claim(store.database, { workerId, queues: ["later"], max: 10 });
      expect(claimed?.id).toBe(id);
    });

    it("no claim ever starts before run_at while jobs come due", async () => {
      await enqueueMany(
        store.database,
        Array.from({ length: 60 }, (_, index) => ({ queue: "ticking", kind: "k", delaySeconds: index * 0.005 })),
      );
      let left = 60;
      while (left > 0) left -= (await claim(store.database, { workerId, queues: ["ticking"], max: 10 })).length;
      const early = await store.database.query(
        "select id from jobqueue.jobs where queue = 'ticking' and (state <> 1 or claimed_at < run_at)",
      );
      expect(early).toEqual([]);
    });

    it("W15: a client whose clock is wrong decides nothing: delays count from the database's now", async () => {
      const [row] = await store.database.query<{ ok: boolean }>(
        `with e as materialized (select id from jobqueue.enqueue('clock', 'k', '{}', '{"delay_seconds": 60}'))
         select true as ok from e`,
      );
      expect(row?.ok).toBe(true);
      const [job] = await store.database.query<{ seconds: number }>(
        "select extract(epoch from run_at - clock_timestamp())::float8 as seconds from jobqueue.jobs where queue = 'clock'",
      );
      expect(job?.seconds).toBeGreaterThan(50);
      expect(job?.seconds).toBeLessThanOrEqual(60);
    });
  });

  it("a claim hands out everything a handler needs, and marks the job running", async () => {
    const { id } = await enqueue(store.database, {
      queue: "facts",
      kind: "mail",
      payload: { to: "a@b.c" },
      timeoutSeconds: 2,
      maxAttempts: 3,
      tag: "t",
      labels: { a: "b" },
    });
    const [claimed] = await claim(store.database, { workerId, queues: ["facts"], max: 1 });
    expect(claimed).toEqual({
      id,
      queue: "facts",
      kind: "mail",
      payload: { to: "a@b.c" },
      attempt: 1,
      maxAttempts: 3,
      leaseToken: expect.stringMatching(/^\d+$/) as string,
      timeoutMs: 2000,
      priority: 0,
      runAt: expect.any(Date) as Date,
      tag: "t",
      labels: { a: "b" },
      generation: 1,
      options: null,
      concurrencyKey: null,
      lastChance: false,
    });
    expect(await getJob(store.database, id)).toMatchObject({
      state: "running",
      workerId,
      leaseToken: claimed?.leaseToken,
      isStale: false,
      lockedUntil: expect.any(Date) as Date,
    });
  });

  describe("a worker that may not claim", () => {
    it.each([
      ["whose lease has lapsed", async (worker: string) => store.lapse(worker)],
      ["that is gone", async (worker: string) => deregisterWorker(store.database, worker)],
      [
        "that was forgotten",
        async (worker: string) => store.database.query("delete from jobqueue.workers where id = $1", [worker]),
      ],
    ])("%s is told to register again", async (_, spoil) => {
      const worker = await store.worker();
      await enqueue(store.database, { queue: "refused", kind: "k" });
      await spoil(worker);
      const refused = claim(store.database, { workerId: worker, queues: ["refused"], max: 1 });
      await expect(refused).rejects.toMatchObject({ code: "lease_lapsed", retry: "never", sqlstate: "JQ001" });
      await expect(refused).rejects.toThrow(`the lease of worker ${worker} has lapsed: register again`);
    });

    it("because it drains gets nothing, and is not told to register", async () => {
      const worker = await store.worker();
      await heartbeat(store.database, worker, { state: "draining" });
      await enqueue(store.database, { queue: "refused", kind: "k" });
      expect(await claim(store.database, { workerId: worker, queues: ["refused"], max: 1 })).toEqual([]);
    });
  });

  it.each(["repeatable read", "serializable"])("is refused in a %s transaction", async (level) => {
    const client = new Client({ connectionString: store.url });
    await client.connect();
    try {
      await client.query(`begin isolation level ${level}`);
      const refused = claim(sessionOn(client), { workerId, queues: ["default"], max: 1 });
      await expect(refused).rejects.toMatchObject({ code: "wrong_isolation", sqlstate: "JQ002" });
      await expect(refused).rejects.toThrow(`this one is ${level}`);
    } finally {
      await client.end();
    }
  });

  it.each([0, -1, 10_001, 1.5])("max %s is refused", async (max) => {
    const refused = claim(store.database, { workerId, queues: ["default"], max });
    await expect(refused).rejects.toMatchObject({ code: "invalid_input" });
    await expect(refused).rejects.toBeInstanceOf(StoreError);
  });

  it("walks only what it takes: the fetch index is in claim order, and no scan of the table is ever planned", async () => {
    await store.database.query(`insert into jobqueue.jobs (queue, kind, payload, state, priority, run_at)
      select 'deep', 'k', '{}', 0, i % 3, clock_timestamp() - interval '1 second' * i from generate_series(1, 20000) i`);
    await store.database.query(`insert into jobqueue.jobs (queue, kind, payload, state, priority, run_at)
      select 'deep', 'k', '{}', 2, -100, clock_timestamp() + interval '1 day' from generate_series(1, 5000) i`);
    // A new connection, which has no other statistics pending.
    const touched = await store.connect().transaction(async (session) => {
      const claimed = await claim(session, { workerId, queues: ["deep"], max: 10 });
      expect(claimed).toHaveLength(10);
      return session.query<{ seq_scan: string; rows: string }>(
        `select seq_scan, seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables
         where schemaname = 'jobqueue' and relname = 'jobs'`,
      );
    });
    expect(touched[0]?.seq_scan).toBe("0");
    expect(Number(touched[0]?.rows)).toBeLessThan(100);
    const [index] = await store.database.query<{ definition: string }>(
      "select pg_get_indexdef('jobqueue.jobs_fetch'::regclass) as definition",
    );
    expect(index?.definition).toContain("(queue, priority, run_at, id) WHERE (state = 0)");
  });

  it("the plan of the claim, as the server made it, fetches by jobs_fetch and updates by ctid", async () => {
    const client = new Client({ connectionString: store.url });
    await client.connect();
    let plans = "";
    client.on("notice", (notice) => (plans += notice.message ?? ""));
    try {
      await client.query("load 'auto_explain'");
      await client.query("set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on");
      await client.query("set client_min_messages = log");
      await claim(sessionOn(client), { workerId, queues: ["deep", "default"], max: 10 });
    } finally {
      await client.end();
    }
    expect(plans).toContain("Tid Scan on jobs");
    expect(plans).toMatch(/Index Scan using jobs_fetch on jobs x/);
    expect(plans).toMatch(/Index Scan using jobs_due on jobs d/);
    expect(plans).not.toMatch(/Seq Scan on (jobs|holds|workers)/);
  });
});

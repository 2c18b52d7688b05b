import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "pg";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { sessionOn } from "../session.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue, enqueueMany, type NewJob } from "./enqueue.ts";
import { getJob, listJobs } from "./read-jobs.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  describe("G1: an enqueue in the caller's transaction", () => {
    let client: Client;
    beforeAll(async () => {
      client = new Client({ connectionString: store.url });
      await client.connect();
      await client.query("create table orders (id int primary key)");
    });
    afterAll(async () => client.end());

    it("commits with the business write", async () => {
      await client.query("begin");
      await client.query("insert into orders values (1)");
      const { id } = await enqueue(sessionOn(client), { queue: "orders", kind: "ship", payload: { order: 1 } });
      expect(await getJob(store.database, id), "not visible before the commit").toBeUndefined();
      await client.query("commit");
      expect(await getJob(store.database, id)).toMatchObject({ state: "pending", payload: { order: 1 } });
    });

    it("vanishes when the transaction rolls back", async () => {
      await client.query("begin");
      await client.query("insert into orders values (2)");
      const { id } = await enqueue(sessionOn(client), { queue: "orders", kind: "ship" });
      await client.query("rollback");
      expect(await getJob(store.database, id)).toBeUndefined();
    });

    it("vanishes when the caller's process dies before the commit", async () => {
      const doomed = new Client({ connectionString: store.url });
      doomed.on("error", () => {});
      await doomed.connect();
      await doomed.query("begin");
      const { id } = await enqueue(sessionOn(doomed), { queue: "orders", kind: "ship" });
      const { rows } = await doomed.query<{ pid: number }>("select pg_backend_pid() as pid");
      await store.database.query("select pg_terminate_backend($1, 10000)", [rows[0]?.pid]);
      expect(await getJob(store.database, id)).toBeUndefined();
      await doomed.end();
    });

    it("works the same through Database.transaction", async () => {
      const undone = store.database.transaction(async (session) => {
        await session.query("insert into orders values (3)");
        await enqueue(session, { queue: "undone", kind: "ship" });
        throw new Error("changed my mind");
      });
      await expect(undone).rejects.toThrow("changed my mind");
      await store.database.transaction(async (session) => {
        await session.query("insert into orders values (3)");
        await enqueue(session, { queue: "done", kind: "ship" });
      });
      expect(await listJobs(store.database, { queue: "undone" })).toEqual([]);
      expect(await listJobs(store.database, { queue: "done" })).toHaveLength(1);
    });
  });

  it("returns many ids in the order of the jobs, all or none", async () => {
    const jobs = Array.from({ length: 250 }, (_, index) => ({ queue: "many", kind: "k", payload: { index } }));
    const enqueued = await enqueueMany(store.database, jobs);
    expect(enqueued.map((job) => job.outcome)).toEqual(jobs.map(() => "inserted"));
    const first = await getJob(store.database, enqueued[0]?.id ?? "");
    const last = await getJob(store.database, enqueued[249]?.id ?? "");
    expect([first?.payload, last?.payload]).toEqual([{ index: 0 }, { index: 249 }]);

    const spoiled: NewJob[] = [...jobs.slice(0, 3), { queue: "many", kind: "not a kind" }];
    await expect(enqueueMany(store.database, spoiled)).rejects.toThrow("'not a kind' cannot be the kind of a job");
    expect(await listJobs(store.database, { queue: "many", limit: 1000 })).toHaveLength(250);
    expect(await enqueueMany(store.database, [])).toEqual([]);
  });

  it("keeps every option", async () => {
    const { id } = await enqueue(store.database, {
      queue: "options",
      kind: "com.acme/Report:weekly",
      payload: ["text", 1.5, null, { clé: "ü€😀" }],
      priority: -5,
      runAt: "2031-02-03T04:05:06+02:00",
      maxAttempts: 2,
      timeoutSeconds: 1.5,
      uniqueKey: "weekly",
      tag: "report",
      labels: { app: "books", variant: "7" },
    });
    expect(await getJob(store.database, id)).toMatchObject({
      kind: "com.acme/Report:weekly",
      payload: ["text", 1.5, null, { clé: "ü€😀" }],
      state: "scheduled",
      priority: -5,
      runAt: new Date("2031-02-03T02:05:06Z"),
      maxAttempts: 2,
      timeoutMs: 1500,
      uniqueKey: "weekly",
      tag: "report",
      labels: { app: "books", variant: "7" },
      attempt: 0,
      recoveries: 0,
    });
    const delayed = await enqueue(store.database, { queue: "options", kind: "k", delaySeconds: 3600 });
    const [row] = await store.database.query<{ seconds: number }>(
      "select extract(epoch from run_at - created_at)::float8 as seconds from jobqueue.jobs where id = $1",
      [delayed.id],
    );
    expect(row?.seconds).toBeCloseTo(3600, 0);
    const now = await enqueue(store.database, { queue: "options", kind: "k", delaySeconds: 0, payload: null });
    expect(await getJob(store.database, now.id)).toMatchObject({ state: "pending", payload: null });
  });

  describe("G2: with a unique key", () => {
    it("a repeat while the job is live is a duplicate with the id of that job", async () => {
      const job: NewJob = { queue: "unique", kind: "k", uniqueKey: "order-1" };
      const first = await enqueue(store.database, job);
      expect(first.outcome).toBe("inserted");
      expect(await enqueue(store.database, job)).toEqual({ id: first.id, outcome: "duplicate" });

      const workerId = await store.worker();
      const [claimed] = await claim(store.database, { workerId, queues: ["unique"], max: 1 });
      expect(await enqueue(store.database, job), "a running job is live").toEqual({
        id: first.id,
        outcome: "duplicate",
      });
      await complete(store.database, [{ id: first.id, leaseToken: claimed?.leaseToken ?? "" }]);
      expect((await enqueue(store.database, job)).outcome, "a finished job is not").toBe("inserted");
    });

    it("duplicates within one batch are told apart, in order", async () => {
      const enqueued = await enqueueMany(store.database, [
        { queue: "unique", kind: "k", uniqueKey: "z" },
        { queue: "unique", kind: "k" },
        { queue: "unique", kind: "k", uniqueKey: "a" },
        { queue: "unique", kind: "k", uniqueKey: "z" },
      ]);
      expect(enqueued.map((job) => job.outcome)).toEqual(["inserted", "inserted", "inserted", "duplicate"]);
      expect(enqueued[3]?.id).toBe(enqueued[0]?.id);
      expect(new Set(enqueued.map((job) => job.id)).size).toBe(3);
    });

    it("many callers at once make one job", async () => {
      const others = [store.connect(), store.connect()];
      const results = await Promise.all(
        Array.from({ length: 40 }, async (_, index) =>
          enqueueMany(others[index % 2] ?? store.database, [
            { queue: "race", kind: "k", uniqueKey: index % 4 < 2 ? "one" : "two" },
            { queue: "race", kind: "k", uniqueKey: index % 4 < 2 ? "two" : "one" },
          ]),
        ),
      );
      const jobs = results.flat();
      expect(jobs.filter((job) => job.outcome === "inserted")).toHaveLength(2);
      expect(new Set(jobs.map((job) => job.id)).size).toBe(2);
    });
  });

  describe("bad input is refused in words, by the client or by the database", () => {
    const good = { queue: "bad", kind: "k", payload: {} };
    const cases: [string, NewJob, RegExp][] = [
      ["an empty queue", { ...good, queue: "" }, /'' cannot be the name of a queue/],
      ["the queue *", { ...good, queue: "*" }, /'\*' cannot be the name of a queue/],
      ["a queue with a quote", { ...good, queue: `x"; drop table jobs;--` }, /cannot be the name of a queue/],
      ["a queue in capitals", { ...good, queue: "Mail" }, /write lower-case letters/],
      ["a queue with a line end", { ...good, queue: "mail\n" }, /cannot be the name of a queue/],
      ["a queue of 64 characters", { ...good, queue: "q".repeat(64) }, /at most 63/],
      ["an emoji queue", { ...good, queue: "📨" }, /cannot be the name of a queue/],
      ["an empty kind", { ...good, kind: "" }, /'' cannot be the kind of a job/],
      ["a kind with a comma", { ...good, kind: "a,b" }, /'a,b' cannot be the kind of a job/],
      ["a kind of 129 characters", { ...good, kind: "k".repeat(129) }, /at most 128/],
      ["priority 1.5", { ...good, priority: 1.5 }, /option priority is 1.5/],
      ["priority 40000", { ...good, priority: 40_000 }, /-32768 \(first\) to 32767/],
      ["no attempts", { ...good, maxAttempts: 0 }, /option max_attempts is 0: write a whole number from 1 to 1000/],
      ["1e9 attempts", { ...good, maxAttempts: 1e9 }, /option max_attempts/],
      ["a timeout of 0", { ...good, timeoutSeconds: 0 }, /option timeout_seconds is 0: write a number above 0/],
      ["a timeout of 8 days", { ...good, timeoutSeconds: 691_200 }, /7 days/],
      ["a negative delay", { ...good, delaySeconds: -1 }, /option delay_seconds is -1/],
      ["NaN as a delay", { ...good, delaySeconds: Number.NaN }, /options\.delay_seconds is NaN/],
      ["a delay and a time", { ...good, delaySeconds: 1, runAt: new Date() }, /exclude each other/],
      ["run_at infinity", { ...good, runAt: "infinity" }, /runAt is "infinity": write an instant with its zone/],
      ["run_at without a zone", { ...good, runAt: "2031-01-01T00:00:00" }, /write an instant with its zone/],
      ["run_at of the year 10000", { ...good, runAt: new Date(8e14) }, /write an instant with its zone/],
      ["an invalid date", { ...good, runAt: new Date("x") }, /runAt is "Invalid Date"/],
      ["30 February", { ...good, runAt: "2031-02-30T00:00:00Z" }, /out of range/],
      ["an empty unique key", { ...good, uniqueKey: "" }, /option unique_key must be a string of 1 to 200/],
      ["a unique key of 1 MB", { ...good, uniqueKey: "x".repeat(1_000_000) }, /option unique_key must be/],
      [
        "33 labels",
        { ...good, labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, ""])) },
        /at most 32/,
      ],
      ["a payload over 1 MiB", { ...good, payload: "x".repeat(1_048_575) }, /payload has 1048577 bytes/],
      [
        "a payload with U+0000",
        { ...good, payload: { a: ["\u0000"] } },
        /payload\.a\[0\] contains the character U\+0000/,
      ],
      ["half a surrogate pair", { ...good, payload: "\uD800" }, /half of a surrogate pair/],
      ["a BigInt", { ...good, payload: { n: 1n } }, /payload\.n is a BigInt/],
    ];
    it.each(cases)("%s", async (_, job, words) => {
      const failed = enqueue(store.database, job);
      await expect(failed).rejects.toThrow(words);
      await expect(failed).rejects.toMatchObject({ name: "StoreError", code: "invalid_input", retry: "never" });
      expect(await listJobs(store.database, { queue: "bad" })).toEqual([]);
    });

    const sql: [string, string, RegExp][] = [
      [
        "an unknown option",
        `'q', 'k', '{}', '{"prioritty": 1}'`,
        /unknown option 'prioritty'.*options are priority, run_at/,
      ],
      ["options that are no object", `'q', 'k', '{}', '[]'`, /options must be a JSON object, not array/],
      ["a priority in quotes", `'q', 'k', '{}', '{"priority": "1"}'`, /option priority must be a number, not "1"/],
      ["an escaped U+0000", String.raw`'q', 'k', '"\u0000"'`, /unsupported Unicode escape sequence/],
      ["an escaped half surrogate", String.raw`'q', 'k', '"\ud800"'`, /invalid input syntax for type json/],
      [
        "100000 levels of nesting",
        `'q', 'k', (repeat('[', 100000) || repeat(']', 100000))::json`,
        /stack depth limit exceeded/,
      ],
      ["2 MB of payload", `'q', 'k', to_json(repeat('x', 2000000))`, /the payload of job 1 has 2000002 bytes/],
      ["no payload", `'q', 'k', null`, /the payload of job 1 is null/],
      ["no queue", `null, 'k', '{}'`, /null cannot be the name of a queue/],
      ["no kind", `'q', null, '{}'`, /null cannot be the kind of a job/],
    ];
    it.each(sql)("%s, from any language", async (_, values, words) => {
      await expect(store.database.query(`select * from jobqueue.enqueue(${values})`)).rejects.toThrow(words);
    });

    it("arrays of different lengths", async () => {
      const wrong = store.database.query("select * from jobqueue.enqueue_many('{a,b}', '{k}', array['1'::json])");
      await expect(wrong).rejects.toThrow("must have one element per job");
    });
  });

  it("one queue and one kind stand for all jobs, with or without options; a batch may be empty", async () => {
    const rows = async (sql: string) => {
      const jobs = await store.database.query<{ id: string }>(`select id from jobqueue.enqueue_many(${sql})`);
      return store.database.query(
        "select queue, kind, payload, priority from jobqueue.jobs where id = any($1) order by array_position($1, id)",
        [jobs.map(({ id }) => id)],
      );
    };
    await store.database.query("insert into jobqueue.queues (name, max_attempts) values ('one', 9)");
    expect(await rows(`'{one}', '{k}', array['1', '2']::json[]`)).toMatchObject([
      { queue: "one", kind: "k", payload: 1, priority: 0 },
      { queue: "one", kind: "k", payload: 2, priority: 0 },
    ]);
    expect(await rows(`'{one}', '{k,l}', array['1', '2']::json[]`)).toMatchObject([{ kind: "k" }, { kind: "l" }]);
    expect(await rows(`'{one,two}', '{k}', array['1', '2']::json[]`)).toMatchObject([
      { queue: "one" },
      { queue: "two" },
    ]);
    expect(
      await rows(`'{one}', '{k}', array['1', '2']::json[], array[null, '{"priority": 3}']::jsonb[]`),
    ).toMatchObject([
      { queue: "one", priority: 0 },
      { queue: "one", priority: 3 },
    ]);
    expect(await rows(`'{one}', '{k}', '{}'`)).toEqual([]);
    expect(await store.database.query("select distinct max_attempts from jobqueue.jobs where queue = 'one'")).toEqual([
      { max_attempts: 9 },
    ]);
  });

  it("a payload of the largest size comes back as it was", async () => {
    const payload = `${"é".repeat(524_286)}xx`;
    const { id } = await enqueue(store.database, { queue: "large", kind: "k", payload });
    expect((await getJob(store.database, id))?.payload).toBe(payload);
    const workerId = await store.worker();
    const [claimed] = await claim(store.database, { workerId, queues: ["large"], max: 1 });
    expect(claimed?.payload).toBe(payload);
  });

  it("nothing that JSON text says is lost on the way: numbers keep their digits, keys their order", async () => {
    const [job] = await store.database.query<{ id: string }>(
      `select id from jobqueue.enqueue('exact', 'k', '{"b": 12345678901234567890.10, "a": 1}')`,
    );
    const [row] = await store.database.query<{ payload: string }>(
      "select payload::text as payload from jobqueue.jobs where id = $1",
      [job?.id],
    );
    expect(row?.payload).toBe('{"b": 12345678901234567890.10, "a": 1}');
  });

  it("first users of a queue do not wait for each other's transactions", async () => {
    const other = store.connect({ statementTimeoutMs: 5_000 });
    await store.database.transaction(async (session) => {
      await enqueue(session, { queue: "brand-new", kind: "k" });
      expect((await enqueue(other, { queue: "brand-new", kind: "k" })).outcome).toBe("inserted");
    });
    await enqueue(other, { queue: "brand-new", kind: "k" });
    const queues = await store.database.query("select name from jobqueue.queues where name = 'brand-new'");
    expect(queues).toHaveLength(1);
  });
});

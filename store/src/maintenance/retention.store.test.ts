import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { cancelJob } from "../jobs/act-on-job.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { fail } from "../jobs/fail.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { recoverStale } from "../jobs/recover-stale.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { deregisterWorker } from "../workers/register-worker.ts";
import { configureStore } from "./configure-store.ts";
import { maintain } from "./maintain.ts";

const act = { actor: "a", reason: "r" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeEach(async () => {
    store = await openStore(adminUrl);
  });
  afterEach(async () => store.close());

  async function run(options: object = {}) {
    const workerId = await store.worker();
    const { id } = await enqueue(store.database, { queue: "q", kind: "k", ...options });
    const [job] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
    if (job?.id !== id) throw new Error("claimed another job");
    return { ...job, workerId };
  }
  async function completed(options: object = {}): Promise<string> {
    const job = await run(options);
    await complete(store.database, [{ ...job, result: { done: true } }]);
    return job.id;
  }
  async function dead(): Promise<string> {
    const job = await run();
    await fail(store.database, [{ ...job, error: "no", permanent: true }]);
    return job.id;
  }
  async function cancelled(): Promise<string> {
    const { id } = await enqueue(store.database, { queue: "q", kind: "k" });
    await cancelJob(store.database, id, act);
    return id;
  }
  /** Moves the whole history so many days into the past, each row into the partition of its day. */
  async function age(days: number): Promise<void> {
    await store.database.query(
      `do $$ declare d date; begin
         for d in select distinct (finished_at at time zone 'UTC')::date - ${days} from jobqueue.job_history loop
           if to_regclass('jobqueue.job_history_' || to_char(d, 'YYYYMMDD')) is null then
             execute format('create table jobqueue.%I partition of jobqueue.job_history for values from (%L) to (%L)',
               'job_history_' || to_char(d, 'YYYYMMDD'), d::text || ' 00:00+00', (d + 1)::text || ' 00:00+00');
           end if;
         end loop;
         update jobqueue.job_history set finished_at = finished_at - interval '${days} days';
       end $$`,
    );
  }
  const partitions = async (): Promise<number> =>
    (await store.database.query("select from pg_inherits where inhparent = 'jobqueue.job_history'::regclass")).length;

  it("drops whole days whose completed jobs are kept no longer, and keeps what is kept longer", async () => {
    const [old, buried, withdrawn] = [await completed(), await dead(), await cancelled()];
    await age(9);
    const recent = await completed();
    const before = await partitions();
    await maintain(store.database);
    expect(await partitions()).toBe(before - 1);
    expect(await getJob(store.database, old)).toBeUndefined();
    expect(await getJob(store.database, withdrawn)).toBeUndefined();
    expect(await getJob(store.database, buried)).toMatchObject({ state: "dead", lastError: "no" });
    expect(await getJob(store.database, recent)).toMatchObject({ state: "completed" });
    await age(30);
    await maintain(store.database);
    expect(await getJob(store.database, buried)).toBeUndefined();
  });

  it("keeps as long as the store was configured to", async () => {
    const [done, buried, withdrawn] = [await completed(), await dead(), await cancelled()];
    await age(9);
    const keep = { completedSeconds: 86_400 * 20, cancelledSeconds: 86_400 * 8, deadSeconds: 86_400 * 20 };
    await configureStore(store.database, keep, act);
    await maintain(store.database);
    expect(await getJob(store.database, done)).toBeDefined();
    expect(await getJob(store.database, buried)).toBeDefined();
    expect(await getJob(store.database, withdrawn)).toBeUndefined();
  });

  it("a result reads as null from its expiry on, and maintain erases it while the record stays", async () => {
    const [short, none, long] = [
      await completed({ resultTtlSeconds: 60 }),
      await completed({ resultTtlSeconds: 0 }),
      await completed(),
    ];
    expect(await getJob(store.database, short)).toMatchObject({ result: { done: true } });
    expect(await getJob(store.database, none)).toMatchObject({ result: null });
    await store.database.query("update jobqueue.job_history set result_expires_at = clock_timestamp() where id = $1", [
      short,
    ]);
    expect(await getJob(store.database, short), "before anybody erased it").toMatchObject({ result: null });
    await maintain(store.database);
    const kept = await store.database.query("select id, result from jobqueue.job_history order by id");
    expect(kept).toEqual([
      { id: short, result: null },
      { id: none, result: null },
      { id: long, result: { done: true } },
    ]);
  });

  it("a completion under way is not waited for: the day is dropped another time", async () => {
    await completed();
    await age(9);
    const before = await partitions();
    const other = store.connect();
    await store.database.transaction(async (session) => {
      const workerId = await store.worker();
      await enqueue(other, { queue: "q", kind: "k" });
      await complete(session, await claim(session, { workerId, queues: ["q"], max: 1 }));
      await maintain(other);
      expect(await partitions()).toBe(before);
    });
    await maintain(other);
    expect(await partitions()).toBe(before - 1);
  });

  describe("forgets", () => {
    it("workers only when no job of the history can name them any more", async () => {
      const job = await run();
      await complete(store.database, [job]);
      await deregisterWorker(store.database, job.workerId);
      const workers = async () => store.database.query("select id from jobqueue.workers");
      await store.database.query("update jobqueue.workers set gone_at = gone_at - interval '31 days'");
      await store.database.query("delete from jobqueue.leases");
      await maintain(store.database);
      expect(await workers()).toEqual([{ id: job.workerId }]);
      await store.database.query("update jobqueue.workers set gone_at = gone_at - interval '8 days'");
      await maintain(store.database);
      expect(await workers()).toEqual([]);
    });

    it("keys, ticks, audit events and cancel requests that are over", async () => {
      await store.database.query(
        `insert into jobqueue.kept_keys values ('old', 1, clock_timestamp()), ('new', 2, clock_timestamp() + interval '1 hour')`,
      );
      await store.database.query(
        `insert into jobqueue.schedule_ticks (schedule, tick, outcome)
         values ('s', clock_timestamp() - interval '31 days', 'fired'), ('s', clock_timestamp(), 'fired')`,
      );
      await store.database.query(
        `insert into jobqueue.audit_events (action, actor, target, at) values ('hold', 'a', 'q', clock_timestamp() - interval '366 days'),
         ('hold', 'a', 'q', clock_timestamp())`,
      );
      await store.database.query(
        `insert into jobqueue.cancel_requests (job_id, lease_token, worker_id, actor, reason) values (1, 1, 1, 'a', 'r')`,
      );
      await maintain(store.database);
      const [left] = await store.database.query(
        `select (select array_agg(unique_key) from jobqueue.kept_keys) as keys, (select count(*)::int from jobqueue.schedule_ticks) as ticks,
           (select count(*)::int from jobqueue.audit_events) as events, (select count(*)::int from jobqueue.cancel_requests) as requests`,
      );
      expect(left).toEqual({ keys: ["new"], ticks: 1, events: 1, requests: 0 });
    });
  });

  it("forgets restarts that ended long ago, and those that nobody has gone on with for as long", async () => {
    await store.database.query(
      `insert into jobqueue.restart_intents (pool, queue, template_hash, namespace, pod, pod_uid, reason, actor, state, opened_at, updated_at, closed_at)
       select 'ns/q', 'q', 'h', 'ns', uid, uid, 'LeaseLapsed', 'a', state, day, day, case when state = 'closed' then day end
       from (values ('ended long ago', 'closed', 31), ('left long ago', 'fenced', 31), ('ended', 'closed', 29), ('under way', 'fenced', 0)) one (uid, state, days)
       cross join lateral (select clock_timestamp() - make_interval(days => days) as day) moment`,
    );
    await maintain(store.database);
    const left = await store.database.query("select pod from jobqueue.restart_intents order by id");
    expect(left).toEqual([{ pod: "ended" }, { pod: "under way" }]);
  });

  it("G3: a running job whose lease row was given up too early is found again, and recovered", async () => {
    const job = await run();
    await store.database.query("delete from jobqueue.leases");
    await store.lapse(job.workerId);
    expect(await recoverStale(store.database)).toEqual([]);
    await maintain(store.database);
    expect(await recoverStale(store.database)).toMatchObject([{ id: job.id, outcome: "retried" }]);
  });
});

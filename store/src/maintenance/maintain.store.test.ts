import { afterEach, beforeEach, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { maintain } from "./maintain.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeEach(async () => {
    store = await openStore(adminUrl);
  });
  afterEach(async () => store.close());

  const partitions = async () =>
    store.database.query<{ name: string; bound: string }>(
      `select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i
       join pg_class c on c.oid = i.inhrelid where i.inhparent = 'jobqueue.job_history'::regclass order by 1`,
    );

  async function finishOne(): Promise<string> {
    const workerId = await store.worker();
    await enqueue(store.database, { queue: "q", kind: "k" });
    const jobs = await claim(store.database, { workerId, queues: ["q"], max: 1 });
    await complete(store.database, jobs);
    return jobs[0]?.id ?? "";
  }

  it("a new store has the history's partitions of today and the week ahead, by days of UTC", async () => {
    await store.database.query("select jobqueue.maintain()"); // the template may be from yesterday
    const days = (await partitions()).filter(({ name }) => name !== "job_history_default");
    expect(days.length).toBeGreaterThanOrEqual(8);
    expect(days[0]?.bound).toMatch(/^FOR VALUES FROM \('\d{4}-\d\d-\d\d 00:00:00\+00'\) TO /);
    const id = await finishOne();
    const [row] = await store.database.query<{ table: string }>(
      "select tableoid::regclass::text as table from jobqueue.job_history where id = $1",
      [id],
    );
    expect(row?.table).toMatch(/^jobqueue\.job_history_\d{8}$/);
  });

  it("is repeatable, and makes only what is missing", async () => {
    await maintain(store.database);
    expect(await maintain(store.database)).toBe(0);
    expect(await store.database.query("select jobqueue.maintain(9) as made")).toEqual([{ made: 2 }]);
  });

  it("many callers at once make each partition once", async () => {
    await maintain(store.database);
    await store.database.query("drop table jobqueue.job_history_default");
    for (const { name } of await partitions()) await store.database.query(`drop table jobqueue.${name}`);
    await store.database.query("create table jobqueue.job_history_default partition of jobqueue.job_history default");
    const callers = [store.database, store.connect(), store.connect()];
    const made = await Promise.all(callers.map(maintain));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(8);
  });

  it("when nobody has maintained for long, jobs still finish, into the default partition, and stay there to be found", async () => {
    for (const { name } of await partitions()) {
      if (name !== "job_history_default") await store.database.query(`drop table jobqueue.${name}`);
    }
    const id = await finishOne();
    expect(await maintain(store.database), "all days but the one that has rows").toBe(7);
    expect((await getJob(store.database, id))?.state).toBe("completed");
    expect((await getJob(store.database, await finishOne()))?.state).toBe("completed");
  });

  it("forgets workers that the history cannot name any more and holds that ended a week ago, nothing else", async () => {
    const [old, recent, silent, alive] = [
      await store.worker(),
      await store.worker(),
      await store.worker(),
      await store.worker(),
    ];
    const age = async (worker: string, sql: string) =>
      store.database.query(`update jobqueue.workers set ${sql} where id = $1`, [worker]);
    await age(old, "state = 'gone', gone_at = clock_timestamp() - interval '39 days'");
    await age(recent, "state = 'gone', gone_at = clock_timestamp() - interval '37 days'");
    await age(silent, "lease_until = clock_timestamp() - interval '39 days'");
    await store.database.query(
      `insert into jobqueue.holds (queue, name, source, actor, reason, until) values
       ('q', 'old', 'cli', 'a', 'r', clock_timestamp() - interval '8 days'),
       ('q', 'recent', 'cli', 'a', 'r', clock_timestamp() - interval '1 day'),
       ('q', 'lasting', 'cli', 'a', 'r', null)`,
    );
    await maintain(store.database);
    const workers = await store.database.query<{ id: string }>("select id from jobqueue.workers order by id");
    expect(workers.map(({ id }) => id)).toEqual([recent, alive]);
    const holds = await store.database.query<{ name: string }>("select name from jobqueue.holds order by name");
    expect(holds.map(({ name }) => name)).toEqual(["lasting", "recent"]);
  });
});

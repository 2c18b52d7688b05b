import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { getJob, listJobs } from "../jobs/read-jobs.ts";
import { betweenMinutes } from "../testing/between-minutes.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { fireDueSchedules } from "./fire-due-schedules.ts";
import { deleteSchedule, type NewSchedule, pauseSchedule, putSchedule, triggerSchedule } from "./put-schedule.ts";

const act = { actor: "alice", reason: "nightly" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    await betweenMinutes();
  });

  const put = async (schedule: Partial<NewSchedule> = {}): Promise<boolean> =>
    putSchedule(store.database, { name: "report", queue: "q", kind: "k", cron: "* * * * *", ...schedule }, act);
  /** As if nobody had fired anything for so many minutes. */
  const absent = async (minutes: number): Promise<void> => {
    await store.database.query(
      "update jobqueue.schedules set next_at = date_trunc('minute', clock_timestamp()) - make_interval(mins => $1)",
      [minutes],
    );
  };
  const ticks = async () =>
    store.database.query<{ tick: Date; outcome: string; job_id: string | null }>(
      "select tick, outcome, job_id from jobqueue.schedule_ticks order by tick",
    );
  const row = async () => (await store.database.query<{ next_at: Date }>("select * from jobqueue.v_schedules"))[0];
  const audit = async () =>
    (await store.database.query<{ action: string }>("select action from jobqueue.audit_events order by id")).map(
      ({ action }) => action,
    );

  it("put makes a schedule, changes it, and does nothing the second time (G19)", async () => {
    expect(await put({ timeZone: "Europe/Berlin", payload: { a: 1 }, priority: 3 })).toBe(true);
    expect(await put({ timeZone: "Europe/Berlin", payload: { a: 1 }, priority: 3 })).toBe(false);
    const before = await row();
    expect(before).toMatchObject({
      name: "report",
      cron: "* * * * *",
      time_zone: "Europe/Berlin",
      options: { priority: 3 },
      missed_ticks: "once",
      paused: false,
      is_due: false,
    });
    expect(await put({ timeZone: "Europe/Berlin", payload: { a: 2 } })).toBe(true);
    expect(await row()).toMatchObject({ payload: { a: 2 }, options: {}, next_at: before?.next_at });
    expect(await audit()).toEqual(["put_schedule", "put_schedule"]);
    expect(await deleteSchedule(store.database, "report", act)).toBe(true);
    expect(await deleteSchedule(store.database, "report", act)).toBe(false);
    expect(await audit()).toEqual(["put_schedule", "put_schedule", "delete_schedule"]);
  });

  it.each([
    [{ cron: "0 25 * * *" }, 'the field hour is "25"'],
    [{ timeZone: "Mars/Base" }, '"Mars/Base" is no time zone'],
    [{ name: "No Name" }, "cannot be the name of a schedule: write lower-case letters"],
    [{ queue: "Q!" }, "cannot be the name of a queue"],
    [{ kind: "" }, "cannot be the kind of a job"],
    [{ maxMissed: 0 }, "max_missed is 0: write a whole number from 1 to 1000"],
    [{ priority: 1e6 }, "priority is 1000000"],
  ])("%j is refused", async (bad, words) => {
    await expect(put(bad)).rejects.toThrow(words);
    expect(await row()).toBeUndefined();
  });

  it("a tick becomes a job with the schedule's options, and says which tick it is", async () => {
    await put({ payload: { a: 1 }, labels: { app: "shop" }, priority: -3, maxAttempts: 2 });
    await absent(0);
    expect(await fireDueSchedules(store.database)).toEqual([{ name: "report", fired: 1, skipped: 0 }]);
    const [job] = await listJobs(store.database);
    const [tick] = await ticks();
    const at = tick?.tick.toISOString().replace(".000Z", "Z");
    expect(job).toMatchObject({
      queue: "q",
      kind: "k",
      payload: { a: 1 },
      priority: -3,
      maxAttempts: 2,
      uniqueKey: `schedule/report/${at}`,
      labels: { app: "shop", schedule: "report", tick: at },
    });
    expect(tick).toMatchObject({ outcome: "fired", job_id: job?.id });
    expect(await fireDueSchedules(store.database)).toEqual([]);
  });

  it("G14: many callers at once fire each tick exactly once", async () => {
    for (let at = 0; at < 10; at += 1) await put({ name: `s${at}`, missedTicks: "all" });
    await absent(20);
    const callers = [store.database, store.connect(), store.connect(), store.connect()];
    await Promise.all(callers.map(async (database) => fireDueSchedules(database)));
    // Whoever lost a race left the schedule to the other.
    expect(await fireDueSchedules(store.database)).toEqual([]);
    const counts = await store.database.query<{ count: number; jobs: number }>(
      `select schedule, count(*)::int as count, count(distinct job_id)::int as jobs from jobqueue.schedule_ticks
       where outcome = 'fired' group by 1`,
    );
    expect(counts).toHaveLength(10);
    expect(counts.every((count) => count.count >= 21 && count.count === count.jobs)).toBe(true);
    expect(await store.database.query("select from jobqueue.jobs")).toHaveLength((await ticks()).length);
  });

  it("G14: a caller that dies between ticks leaves all or nothing of them, and the next one goes on", async () => {
    await put({ missedTicks: "all" });
    await absent(5);
    const died = store.database.transaction(async (session) => {
      expect(await fireDueSchedules(session)).toMatchObject([{ skipped: 0 }]);
      throw new Error("killed");
    });
    await expect(died).rejects.toThrow("killed");
    expect(await ticks()).toEqual([]);
    expect(await listJobs(store.database)).toEqual([]);
    await fireDueSchedules(store.database);
    expect((await ticks()).length).toBeGreaterThanOrEqual(6);
    expect(await listJobs(store.database)).toHaveLength((await ticks()).length);
  });

  it("G14: a tick on record never fires again, though its job is long done and somebody sets the schedule back", async () => {
    await put();
    await absent(0);
    const [due] = await store.database.query<{ next_at: Date }>("select next_at from jobqueue.schedules");
    await fireDueSchedules(store.database);
    await complete(
      store.database,
      await claim(store.database, { workerId: await store.worker(), queues: ["q"], max: 1 }),
    );
    await store.database.query("update jobqueue.schedules set next_at = $1", [due?.next_at]);
    await fireDueSchedules(store.database);
    expect((await ticks()).filter(({ tick }) => tick.getTime() === due?.next_at.getTime())).toHaveLength(1);
    const again = await listJobs(store.database, { state: "pending" });
    expect(again.filter((job) => job.labels?.["tick"] === due?.next_at.toISOString().replace(".000Z", "Z"))).toEqual(
      [],
    );
  });

  it.each([
    ["skip", 0],
    ["once", 1],
    ["all", 60],
  ] as const)(
    "after an hour's absence %s fires the right ticks, and each is on record",
    async (missedTicks, missed) => {
      await put({ missedTicks });
      await store.database.query(
        "update jobqueue.schedules set cron = '0 0 1 1 *', next_at = date_trunc('minute', clock_timestamp()) - interval '1 hour'",
      );
      await store.database.query("update jobqueue.schedules set cron = '* * * * *'");
      await fireDueSchedules(store.database);
      const all = await ticks();
      expect(all.length).toBeGreaterThanOrEqual(61);
      const fired = all.filter(({ outcome }) => outcome === "fired").length;
      // One or two were on time, which under `once` stand for the others.
      expect(fired).toBeGreaterThanOrEqual(missedTicks === "all" ? missed : 1);
      expect(fired).toBeLessThanOrEqual(missedTicks === "all" ? 62 : 2);
    },
  );

  describe("a schedule that is", () => {
    it("paused fires nothing, and after it was resumed only what is due from then on", async () => {
      await put();
      await absent(0);
      expect(await pauseSchedule(store.database, "report", true, act)).toBe(true);
      expect(await pauseSchedule(store.database, "report", true, act)).toBe(false);
      expect(await fireDueSchedules(store.database)).toEqual([]);
      await absent(30);
      expect(await pauseSchedule(store.database, "report", false, act)).toBe(true);
      expect(await fireDueSchedules(store.database)).toEqual([]);
      expect(await row()).toMatchObject({ paused: false, is_due: false });
      expect(await audit()).toEqual(["put_schedule", "pause_schedule", "pause_schedule"]);
      expect(await pauseSchedule(store.database, "nobody", true, act)).toBe(false);
    });

    it("triggered becomes a job beside its ticks, also while it is paused, with an audit event (G19)", async () => {
      await put();
      await pauseSchedule(store.database, "report", true, act);
      const before = await row();
      const id = await triggerSchedule(store.database, "report", act);
      expect(await getJob(store.database, id ?? "")).toMatchObject({
        state: "pending",
        labels: { schedule: "report" },
        uniqueKey: null,
      });
      expect(await row()).toEqual(before);
      expect(await audit()).toEqual(["put_schedule", "pause_schedule", "trigger_schedule"]);
      expect(await triggerSchedule(store.database, "nobody", act)).toBeUndefined();
    });

    it.each([
      ["paused", async () => pauseSchedule(store.database, "report", true, act)],
      ["deleted", async () => deleteSchedule(store.database, "report", act)],
      ["changed", async () => put({ cron: "0 0 1 1 *" })],
    ])("%s after somebody saw it due does not fire", async (_, meanwhile) => {
      await put();
      await absent(0);
      const [due] = await store.database.query<{ next_at: Date }>("select next_at from jobqueue.due_schedules()");
      await meanwhile();
      const answer = await store.database.query(
        "select jobqueue.fire_schedule('report', $1, array[$1]::timestamptz[], '{}', $1::timestamptz + interval '1 minute') as done",
        [due?.next_at],
      );
      expect(answer).toEqual([{ done: false }]);
      expect(await listJobs(store.database)).toEqual([]);
    });
  });

  it("G10: no tick fires ahead of time, whatever clock its caller has", async () => {
    await put();
    await absent(0);
    const early = store.database.query(
      `select jobqueue.fire_schedule(name, next_at, array[clock_timestamp() + interval '1 minute'], '{}', null)
       from jobqueue.schedules`,
    );
    await expect(early).rejects.toThrow("ticks must not be ahead of time");
    expect(await listJobs(store.database)).toEqual([]);
  });

  it("one that cannot be fired is reported, and does not keep the others from it", async () => {
    await put({ name: "bad" });
    await put({ name: "good" });
    await store.database.query("update jobqueue.schedules set cron = 'nonsense' where name = 'bad'");
    await absent(0);
    const fired = await fireDueSchedules(store.database);
    expect(fired.find(({ name }) => name === "bad")?.error).toContain('"nonsense" is no cron expression');
    expect(fired.find(({ name }) => name === "good")).toMatchObject({ fired: 1 });
  });
});

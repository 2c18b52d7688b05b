import { fireDueSchedules } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { commandOnStore } from "./testing/command-on-store.ts";
import { runJobqueue } from "./testing/run-jobqueue.ts";

forEachPostgres(({ adminUrl }) => {
  const { database, jobqueue, json } = commandOnStore(adminUrl);

  describe("jobqueue schedule", () => {
    it("put makes a schedule, and says when it fires next", async () => {
      const nightly = ["schedule", "put", "nightly", "reports", "daily", "--cron", "30 2 * * *"];
      const job = ["--payload", '{"n": 1}', "--missed", "skip", "--tag", "t", "--retry", "10s,1m"];
      const { code, stdout } = await jobqueue(
        ...nightly,
        ...job,
        "--time-zone",
        "Europe/Berlin",
        "--reason",
        "asked for",
      );
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^Schedule nightly is new: jobs of kind daily in queue reports\.\nNext: +\w{3} \d{4}-\d\d-\d\d 02:30:00 UTC\+[12] \(in /,
      );
      expect(await json("schedules", "nightly")).toMatchObject({
        name: "nightly",
        queue: "reports",
        kind: "daily",
        cron: "30 2 * * *",
        timeZone: "Europe/Berlin",
        missedTicks: "skip",
        paused: false,
        payload: { n: 1 },
        options: { tag: "t", retry: { intervals_seconds: [10, 60] } },
      });
      expect(await json("audit", "--action", "put_schedule", "--target", "nightly")).toMatchObject([
        { target: "schedules/nightly", reason: "asked for" },
      ]);
    });

    it("put changes all of it, and says when it was like that before", async () => {
      const again = ["schedule", "put", "nightly", "reports", "daily", "--cron", "0 3 * * *"];
      expect((await jobqueue(...again)).stdout).toContain("Schedule nightly is changed: jobs of kind daily");
      expect(await json("schedules", "nightly")).toMatchObject({
        cron: "0 3 * * *",
        timeZone: "UTC",
        missedTicks: "once",
        payload: {},
      });
      expect((await jobqueue(...again)).stdout).toContain("Schedule nightly was like that before");
    });

    it("put refuses a cron and a time zone that cannot be read, with nothing stored", async () => {
      const cron = await jobqueue("schedule", "put", "bad", "reports", "daily", "--cron", "61 * * * *");
      expect(cron).toMatchObject({ code: 2, stdout: "" });
      expect(cron.stderr).toContain("61");
      const zone = await jobqueue(
        "schedule",
        "put",
        "bad",
        "reports",
        "daily",
        "--cron",
        "* * * * *",
        "--time-zone",
        "Mars",
      );
      expect(zone).toMatchObject({ code: 2, stdout: "" });
      expect(zone.stderr).toContain("Mars");
      expect(await jobqueue("schedules", "bad")).toMatchObject({ code: 3 });
      expect(await jobqueue("schedule", "put", "bad", "reports", "daily")).toMatchObject({ code: 2 });
    });

    it("pause and resume keep it from firing and let it go on from the next tick", async () => {
      expect((await jobqueue("schedule", "pause", "nightly", "--reason", "closing")).stdout).toContain(
        "Schedule nightly is paused:",
      );
      expect((await jobqueue("schedules")).stdout).toMatch(/nightly +paused/);
      expect((await jobqueue("schedule", "pause", "nightly")).stdout).toContain("is paused already");
      expect((await jobqueue("schedule", "resume", "nightly")).stdout).toMatch(
        /^Schedule nightly is active: next \w{3} /,
      );
      const { code, stderr } = await jobqueue("schedule", "pause", "nightli");
      expect(code).toBe(3);
      expect(stderr).toContain("Did you mean nightly?");
    });

    it("list shows ticks that fired, and with a name the next ones and what became of the last (G14)", async () => {
      await json("schedule", "put", "often", "reports", "k", "--cron", "*/5 * * * * *");
      await database().query(
        `update ${database().schema}.schedules set next_at = date_trunc('minute', clock_timestamp()) where name = 'often'`,
      );
      await fireDueSchedules(database());
      expect((await jobqueue("schedules")).stdout).toMatch(
        /often +active +reports +k +\*\/5 \* \* \* \* \* +UTC +\S+ +\d+s ago\n/,
      );
      const told = (await jobqueue("schedules", "often")).stdout;
      expect(told).toMatch(
        /^Schedule often: jobs of kind k in queue reports\nCron: +\*\/5 \* \* \* \* \*, time zone UTC\nMissed: +once\n/,
      );
      expect(told.match(/^(Next: |  +)\s+\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d[05] UTC$/gm)).toHaveLength(5);
      expect(told).toMatch(/\nLast: +\w{3} \S+ \S+ UTC: fired, job \d+\n/);
      await json("schedule", "delete", "often");
    });

    it("preview shows the next ticks of a schedule, and of a cron without any store", async () => {
      const ticks = (await jobqueue("schedule", "preview", "nightly", "--count", "3")).stdout.trimEnd().split("\n");
      expect(ticks).toHaveLength(3);
      expect(ticks[0]).toMatch(/03:00:00 UTC +\d{4}-\d\d-\d\dT03:00:00.000Z$/);
      const thought = ["schedule", "preview", "--cron", "0 12 * * *", "--time-zone", "Asia/Kolkata"];
      const alone = await runJobqueue([...thought, "--count", "2", "-o", "name"]);
      expect(alone).toMatchObject({ code: 0, stderr: "" });
      expect(alone.stdout).toMatch(/^\S+T06:30:00.000Z\n\S+T06:30:00.000Z\n$/);
      expect(await jobqueue("schedule", "preview")).toMatchObject({ code: 2 });
      expect(await jobqueue("schedule", "preview", "nightly", "--cron", "* * * * *")).toMatchObject({ code: 2 });
    });

    it("trigger enqueues its job now, also while it is paused", async () => {
      await json("schedule", "pause", "nightly");
      const { job } = (await json("schedule", "trigger", "nightly", "--reason", "once more")) as { job: string };
      expect(await json("job", job)).toMatchObject({ labels: { schedule: "nightly" } });
      expect((await jobqueue("schedule", "trigger", "nightli")).code).toBe(3);
      expect((await jobqueue("audit", "--action", "trigger_schedule")).stdout).toContain("once more");
    });

    it("delete removes it", async () => {
      expect(await jobqueue("schedule", "delete", "nightly")).toMatchObject({ code: 0 });
      expect((await jobqueue("schedules")).stdout).toContain("no schedules yet");
      expect(await jobqueue("schedule", "delete", "nightly")).toMatchObject({ code: 3 });
    });

    it("alone lists what there is to do", async () => {
      const { code, stderr } = await jobqueue("schedule");
      expect(code).toBe(2);
      expect(stderr).toContain("`jobqueue schedule put`");
    });
  });
});

/** Pages Schedules and Audit, in a real Chromium. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hold, putSchedule, release } from "@jobqueue/store";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { DashboardStage } from "./dashboard-stage.ts";

/** Once a year, five to six months from now: never due while a test looks, and always shown in days. */
const CRON = `0 3 1 ${((new Date().getUTCMonth() + 6) % 12) + 1} *`;

const act = { actor: "ana", reason: "the reports" };

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
  });
  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  const schedule = async (name: string): Promise<void> => {
    const { database } = stage.backstage.admin.store;
    await putSchedule(database, { name, queue: "reports", kind: "quick", cron: CRON }, act);
  };

  describe("the page Schedules", () => {
    it("pauses a schedule with a reason, and resumes it (G19)", async () => {
      await schedule("nightly");
      const visitor = await stage.visit("#/schedules");
      const row = visitor.row("nightly");
      await visitor.sees(`${CRON} (UTC)`, row);
      await visitor.sees(/^in \d+ d/, row);
      await visitor.button("Pause nightly").click();
      await visitor.confirm("Pause", { Why: "holidays" });
      await visitor.hears("Paused nightly.");
      await visitor.sees("paused", row);
      await visitor.button("Resume nightly").click();
      await visitor.confirm("Resume");
      await visitor.sees("on", row.locator(".badge.good"));
      expect((await stage.audit()).map(({ action, reason }) => `${action}: ${reason}`)).toEqual([
        "put_schedule: the reports",
        "pause_schedule: holidays",
        expect.stringContaining("pause_schedule: ") as string,
      ]);
    });

    it("runs one now, beside its ticks: the job really runs (G19)", async () => {
      await schedule("nightly");
      await stage.backstage.worker("reports");
      const visitor = await stage.visit("#/schedules/nightly");
      await visitor.sees("It has not ticked yet.");
      await visitor.button("Run now: nightly").click();
      await visitor.confirm("Run now", { Why: "the numbers were wrong" });
      await visitor.hears(/Enqueued job \d+ of nightly/);
      await stage.until(
        "its job to be completed",
        "select from jobqueue.v_jobs where labels ->> 'schedule' = 'nightly' and state = 'completed'",
      );
      await visitor.sees("It has not ticked yet.");
      expect((await stage.audit()).at(-1)).toMatchObject({
        action: "trigger_schedule",
        reason: "the numbers were wrong",
      });
    });

    it("previews an expression, over a change of the clocks, and says what is wrong with another", async () => {
      await schedule("nightly");
      const visitor = await stage.visit("#/schedules");
      await visitor.page.getByLabel("Cron expression").fill("*/30 * * * *");
      await visitor.page.getByLabel("Time zone").fill("Europe/Berlin");
      await visitor.button("Preview").click();
      const list = visitor.page.getByRole("region", { name: "When would it tick?" }).getByRole("listitem");
      await list.first().waitFor();
      expect(await list.count()).toBe(10);
      await visitor.isAt("#/schedules?cron=*%2F30+*+*+*+*&zone=Europe%2FBerlin");
      await visitor.page.getByLabel("Cron expression").fill("61 * * * *");
      await visitor.button("Preview").click();
      await visitor.sees(/the field minute is "61": write 0 to 59/);
      await visitor.expectComplaint(/status of 400/);
    });
  });

  describe("the page Audit", () => {
    it("tells who changed what, when and why, with what was before and after", async () => {
      const { database } = stage.backstage.admin.store;
      await hold(database, { queue: "mail", name: "smtp", ...act, reason: "SMTP is down", source: "cli" });
      await schedule("nightly");
      const visitor = await stage.visit("#/audit");
      const row = visitor.row("SMTP is down");
      await visitor.sees("ana (cli)", row);
      await row.getByText("Show").click();
      await visitor.sees(/"name": "smtp"/, row);
      await visitor.page.getByLabel("What (event)").fill("put_schedule");
      await visitor.isAt("#/audit?event=put_schedule");
      await row.waitFor({ state: "detached" });
      await visitor.row("schedules/nightly").waitFor();
      await visitor.page.getByLabel("Who").fill("nobody");
      await visitor.sees("No event fits.");
    });

    it("goes back page by page, and to a given time", async () => {
      const { database } = stage.backstage.admin.store;
      for (let n = 0; n < 51; n += 1) {
        await hold(database, { queue: "mail", name: "smtp", actor: "ana", reason: `the ${n}. time`, source: "cli" });
        await release(database, { queue: "mail", name: "smtp", actor: "ana", reason: "mended" });
      }
      const visitor = await stage.visit("#/audit?target=mail");
      const reason = (text: string) => visitor.page.getByRole("cell", { name: text, exact: true });
      await reason("the 50. time").waitFor();
      expect(await reason("the 0. time").count()).toBe(0);
      await visitor.button("Older events").click();
      await reason("the 0. time").waitFor();
      expect(await visitor.page.locator("tbody tr").count()).toBe(102);
      await visitor.page.getByLabel("When").selectOption({ label: "the last hour" });
      await visitor.isAt("#/audit?target=mail&sinceSeconds=3600");
      await reason("the 50. time").waitFor();
    });
  });
});

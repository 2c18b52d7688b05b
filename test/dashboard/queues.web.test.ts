/** Pages Queues and Queue, in a real Chromium. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { eventually } from "../support/eventually.ts";
import { DashboardStage } from "./dashboard-stage.ts";

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
  });
  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  const enqueue = async (queue: string, many = 1): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < many; n += 1) ids.push(await stage.backstage.enqueue({ queue, kind: "quick" }));
    return ids;
  };

  describe("the page Queues", () => {
    it("shows every queue with its counts, and what happens elsewhere appears by itself", async () => {
      await enqueue("mail", 3);
      const visitor = await stage.visit("#/queues");
      await visitor.freshness("Live");
      await visitor.sees("3", visitor.row("mail").getByRole("cell").first());
      await enqueue("mail");
      await visitor.sees("4", visitor.row("mail").getByRole("cell").first());
      await enqueue("reports");
      await visitor.row("reports").waitFor();
    });

    it("pauses a queue with reason and end, says who holds it, and resumes it: no worker starts a job meanwhile (G11, G19)", async () => {
      await enqueue("other");
      await stage.backstage.worker("mail,other");
      const visitor = await stage.visit("#/queues", "operator");
      await visitor.row("other").waitFor();
      await stage.backstage.admin.store.database.query("select jobqueue.ensure_queue('mail')");
      await visitor.button("Pause mail").click();
      await visitor.confirm("Pause", { "Why (required)": "SMTP is down", "For how long": "1 hour" });
      await visitor.hears("Paused mail.");
      const row = visitor.row("mail");
      await visitor.sees("paused", row);
      await visitor.sees(/SMTP is down — by key:operator-.* \(api\)/, row);
      await visitor.sees(/^59 min/, row);
      const [held = ""] = await enqueue("mail");
      const [free = ""] = await enqueue("other");
      // The pool serves mail before other: that it took the later one says that it passed the first.
      await stage.backstage.jobIn("completed", free);
      await stage.backstage.jobIn("pending", held);
      await visitor.button("Release dashboard of mail").click();
      await visitor.confirm("Release", { Why: "mended" });
      await visitor.hears("Released dashboard of mail.");
      await visitor.sees("open", row);
      await stage.backstage.jobIn("completed", held);
      expect(await stage.audit()).toMatchObject([
        {
          action: "hold",
          target: "mail",
          reason: "SMTP is down",
          actor: expect.stringMatching(/^key:operator-/) as string,
        },
        { action: "release", target: "mail", reason: "mended" },
      ]);
    });

    it("pauses every queue at once, and says so above the list", async () => {
      await enqueue("mail");
      const visitor = await stage.visit("#/queues");
      await visitor.button("Pause every queue …").click();
      await visitor.confirm("Pause", { "Why (required)": "the database moves" });
      await visitor.sees("Every queue is paused");
      await visitor.sees("with every queue", visitor.row("mail"));
      await visitor.button("Release dashboard of every queue").click();
      await visitor.confirm("Release");
      await visitor.sees("open", visitor.row("mail"));
      await visitor.page.getByText("Every queue is paused").waitFor({ state: "detached" });
    });

    it("refuses a pause without a reason, and one by the name that belongs to Git, in words beside the form", async () => {
      await enqueue("mail");
      const visitor = await stage.visit("#/queues");
      await visitor.button("Pause mail").click();
      await visitor.dialog.getByRole("button", { name: "Pause" }).click();
      // The browser itself says that something must be there; nothing was sent.
      expect(await visitor.dialog.locator("input:invalid").count()).toBe(1);
      await visitor.dialog.getByLabel("Why (required)").fill("because");
      await visitor.dialog.getByLabel("Name of the hold (required)").fill("spec");
      await visitor.dialog.getByRole("button", { name: "Pause" }).click();
      await visitor.sees(/belongs to the JobQueue object/, visitor.dialog.getByRole("alert"));
      await visitor.page.keyboard.press("Escape");
      await visitor.dialog.waitFor({ state: "detached" });
      await visitor.expectComplaint(/status of 409/);
      expect(await stage.audit()).toEqual([]);
    });

    it("sorts by a column, and the address keeps it", async () => {
      await enqueue("alpha", 1);
      await enqueue("beta", 3);
      await enqueue("gamma", 2);
      const visitor = await stage.visit("#/queues");
      await visitor.row("gamma").waitFor();
      await visitor.button("Pending").click();
      await visitor.button(/^Pending/).click();
      await visitor.isAt("#/queues?sort=-pending");
      const order = async (): Promise<string[]> => visitor.page.locator("tbody th").allInnerTexts();
      expect(await order()).toEqual(["beta", "gamma", "alpha"]);
      await visitor.page.reload();
      await visitor.row("alpha").waitFor();
      expect(await order()).toEqual(["beta", "gamma", "alpha"]);
      expect(await visitor.page.locator("th[aria-sort=descending]").innerText()).toContain("Pending");
    });
  });

  describe("the page of one queue", () => {
    it("says why its jobs do not start, and that changes as soon as a worker serves it", async () => {
      const [id = ""] = await enqueue("mail");
      const visitor = await stage.visit("#/queues/mail");
      await visitor.page.getByRole("heading", { level: 1, name: "Queue mail", exact: true }).waitFor();
      await visitor.sees(/No worker that serves it has ever registered/);
      await stage.backstage.worker("mail");
      await stage.backstage.jobIn("completed", id);
      await visitor.page.getByText(/No worker that serves it has ever registered/).waitFor({ state: "detached" });
      await visitor.page.getByRole("link", { name: "Its items" }).click();
      await visitor.isAt("#/items?queue=mail");
    });

    it("draws depth, oldest age, throughput and latency of the last hour, with the numbers behind them", async () => {
      await stage.backstage.worker("done");
      for (const id of await enqueue("done", 3)) await stage.backstage.jobIn("completed", id);
      // All in one minute, or the most of a minute would not be 3.
      await stage.rows(
        "update jobqueue.job_history set finished_at = date_trunc('minute', statement_timestamp()) - interval '10 minutes'",
      );
      await enqueue("waiting", 2);
      const key = await stage.backstage.admin.key("viewer");
      // Depths are sampled every quarter of a minute.
      await eventually("a sample of the depth", async () => {
        const { json } = await stage.backstage.admin.ask("GET", "/api/v1/series?queue=waiting", { key });
        const [points] = (json as { depth: { points: { pending: number }[] }[] }).depth.map((queue) => queue.points);
        return points?.at(-1)?.pending === 2 ? true : undefined;
      });
      const visitor = await stage.visit("#/queues");
      const chart = (title: string) => visitor.page.getByRole("img", { name: title });
      await chart("Depth. pending: 2 at last, 2 at most.").waitFor();
      await chart("Oldest pending job.").waitFor();
      await chart("Ended per minute. completed: 0 at last, 3 at most.").waitFor();
      await chart("Time in the handler, of the slowest queue. median:").waitFor();
      const figure = visitor.page.locator("figure").filter({ hasText: "Ended per minute" });
      await figure.getByText("Numbers").click();
      await figure.getByRole("cell", { name: "3", exact: true }).first().waitFor();
    });
  });
});

/** Pages Workers and Recovery, in a real Chromium, with processes that really stop. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { DashboardStage } from "./dashboard-stage.ts";

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
  });
  afterAll(async () => stage.close());
  afterEach(async () => stage.clear());

  /** A worker process that was stopped (SIGSTOP) in the middle of so many jobs, and whose lease has lapsed. */
  const lost = async (many: number) => {
    const gate = stage.backstage.file(crypto.randomUUID());
    const ids: string[] = [];
    for (let n = 0; n < many; n += 1)
      ids.push(await stage.backstage.enqueue({ queue: "mail", kind: "wait", payload: { file: gate.path } }));
    const worker = await stage.backstage.worker("mail", { env: { JOBQUEUE_SLOTS: String(many) } });
    for (const id of ids) await stage.backstage.jobIn("running", id);
    worker.signal("SIGSTOP");
    await stage.until("the lease to lapse", "select from jobqueue.v_jobs where is_stale");
    return ids;
  };

  describe("the page Workers", () => {
    it("shows beat, loop age, slots, lease and verdict of each, and the verdict follows what happens (H: process gone)", async () => {
      const gate = stage.backstage.file("slots");
      const id = await stage.backstage.enqueue({ queue: "mail", kind: "wait", payload: { file: gate.path } });
      const worker = await stage.backstage.worker("mail,other", { env: { JOBQUEUE_SLOTS: "3" } });
      await stage.backstage.jobIn("running", id);
      const visitor = await stage.visit("#/workers");
      const row = visitor.row("mail, other");
      await visitor.sees("healthy", row);
      await visitor.sees("1 of 3", row);
      await visitor.sees(/ago$|^now$/, row);
      // The lease of four seconds counts down, and each beat renews it.
      await visitor.sees(/^[1-4](\.\d)? s$/, row);
      await row.getByRole("link").first().click();
      await visitor.sees("It beats, and its loop turns.");
      await visitor.sees("Incarnation");
      await visitor.page.getByRole("link", { name: "1", exact: true }).click();
      await visitor.rowOf(id).waitFor();
      await visitor.go("#/workers");
      await visitor.sees("healthy", row);
      worker.signal("SIGSTOP");
      await visitor.sees("lapsed", row.locator(".badge"));
      worker.signal("SIGCONT");
      gate.write();
    });

    it("shows those that left on request, and the address says so", async () => {
      const worker = await stage.backstage.worker("mail");
      worker.signal("SIGTERM");
      await worker.exited;
      const visitor = await stage.visit("#/workers");
      await visitor.sees("No worker is there.");
      await visitor.page.getByLabel("Also those that left").check();
      await visitor.isAt("#/workers?gone=yes");
      await visitor.sees("gone", visitor.row("mail"));
    });
  });

  describe("the page Recovery", () => {
    it("says first what recovering would do, then does it, once (G5, G19)", async () => {
      const ids = await lost(2);
      const visitor = await stage.visit("#/recovery", "operator,jobs:recover,audit:read");
      await visitor.sees("If recovered now, 2 jobs: 2 retried.");
      for (const id of ids) await visitor.sees("It becomes pending again; no attempt is spent.", visitor.rowOf(id));
      // Looking changes nothing.
      for (const id of ids) await stage.backstage.jobIn("running", id);
      await visitor.button("Recover …").click();
      await visitor.dialog.getByRole("heading", { name: "Recover 2 jobs" }).waitFor();
      await visitor.confirm("Recover", { "Why (required)": "its node is gone" });
      await visitor.hears("Done: 2 jobs: 2 retried.");
      for (const id of ids) await stage.backstage.jobIn("pending", id);
      await visitor.sees("No job is stale.");
      expect(await visitor.button("Recover …").isDisabled()).toBe(true);
      expect(await stage.audit()).toMatchObject([
        {
          action: "recover_stale",
          reason: "its node is gone",
          count: 2,
          actor: expect.stringMatching(/^key:/) as string,
        },
      ]);
    });

    it("is narrowed by queue and age, and shows nobody a button who may not press it", async () => {
      const [id = ""] = await lost(1);
      const viewer = await stage.visit("#/recovery?queue=other", "viewer");
      await viewer.sees("No job is stale.");
      await viewer.page.getByLabel("Queue").fill("mail");
      await viewer.rowOf(id).waitFor();
      await viewer.isAt("#/recovery?queue=mail");
      await viewer.page.getByLabel("Claimed at least … ago").selectOption({ label: "an hour" });
      await viewer.sees("No job is stale.");
      expect(await viewer.button("Recover …").count()).toBe(0);
    });
  });
});

/** Pages Queue items and Job, in a real Chromium. */
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

  /** Jobs that a real worker ran until they were dead. */
  const dead = async (queue: string, many: number): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < many; n += 1) ids.push(await stage.backstage.enqueue({ queue, kind: "permanent" }));
    for (const id of ids) await stage.backstage.jobIn("dead", id);
    return ids;
  };
  const generations = async () =>
    stage.rows<{ queue: string; generation: number }>(
      "select queue, generation from jobqueue.v_jobs order by queue, generation",
    );

  describe("the page Queue items", () => {
    it("shows what has not ended in Connect's columns, with the host of what runs", async () => {
      const gate = stage.backstage.file("gate");
      const running = await stage.backstage.enqueue({ queue: "mail", kind: "wait", payload: { file: gate.path } });
      const waiting = await stage.backstage.enqueue({ queue: "later", kind: "quick", delaySeconds: 3600 });
      await stage.backstage.worker("mail");
      await stage.backstage.jobIn("running", running);
      const visitor = await stage.visit("#/items");
      await visitor.sees("running", visitor.rowOf(running));
      await visitor.sees("scheduled", visitor.rowOf(waiting));
      const [worker] = await stage.rows<{ hostname: string }>("select hostname from jobqueue.v_workers");
      await visitor.sees(worker?.hostname ?? "no host", visitor.rowOf(running));
      const headings = await visitor.page.locator("thead th").allInnerTexts();
      expect(headings.map((text) => text.replace(/ [▲▼]$/, ""))).toEqual([
        "Select",
        "Item",
        "Created",
        "Queue",
        "Type",
        "Active",
        "Payload",
        "Hostname",
        "Actions",
      ]);
      gate.write();
      await visitor.rowOf(running).waitFor({ state: "detached" });
    });

    it("keeps its filters in the address: a link shows somebody else the same", async () => {
      await stage.backstage.enqueue({ queue: "mail", kind: "welcome" });
      await stage.backstage.enqueue({ queue: "mail", kind: "reminder", delaySeconds: 3600 });
      await stage.backstage.enqueue({ queue: "other", kind: "welcome" });
      const visitor = await stage.visit("#/items");
      await visitor.row("reminder").waitFor();
      await visitor.page.getByLabel("Queue", { exact: true }).fill("mail");
      await visitor.isAt("#/items?queue=mail");
      await visitor.page.getByLabel("State").selectOption({ label: "Pending" });
      await visitor.isAt("#/items?queue=mail&state=pending");
      await visitor.row("reminder").waitFor({ state: "detached" });
      await visitor.button("Type").click();
      await visitor.isAt("#/items?queue=mail&state=pending&sort=kind");
      const colleague = await stage.visit("#/items?queue=mail&state=pending&sort=kind");
      await colleague.row("welcome").waitFor();
      expect(await colleague.page.locator("tbody tr").count()).toBe(1);
      expect(await colleague.page.getByLabel("Queue", { exact: true }).inputValue()).toBe("mail");
      await visitor.page.getByLabel("Type").fill("nothing");
      await visitor.sees("No item fits.");
    });

    it("retries a dead job with all its attempts, and the audit trail says who did and why (G6, G19)", async () => {
      await stage.backstage.worker("mail");
      const [id = ""] = await dead("mail", 1);
      const visitor = await stage.visit("#/items?state=dead", "operator");
      await visitor.button(`Retry job ${id}`).click();
      await visitor.confirm("Retry", { Why: "address mended" });
      await visitor.hears(`Retried job ${id}.`);
      await stage.until(
        "the job to run again",
        "select from jobqueue.v_jobs where id = $1 and generation = 2 and state = 'dead'",
        [id],
      );
      expect(await stage.audit()).toMatchObject([{ action: "retry", reason: "address mended" }]);
    });

    it("cancels a job that runs, by asking its worker", async () => {
      const gate = stage.backstage.file("never");
      const id = await stage.backstage.enqueue({ queue: "mail", kind: "cancellable", payload: { file: gate.path } });
      await stage.backstage.worker("mail");
      await stage.backstage.jobIn("running", id);
      const visitor = await stage.visit("#/items", "operator");
      await visitor.button(`Cancel job ${id}`).click();
      await visitor.confirm("Cancel", { Why: "not wanted" });
      await visitor.hears(`Cancelled job ${id}.`);
      await stage.backstage.jobIn("cancelled", id);
      await visitor.rowOf(id).waitFor({ state: "detached" });
    });

    it("deletes a job that has not started; one that runs has no such button", async () => {
      const gate = stage.backstage.file("deleting");
      const running = await stage.backstage.enqueue({ queue: "mail", kind: "wait", payload: { file: gate.path } });
      await stage.backstage.worker("mail", { env: { JOBQUEUE_SLOTS: "1" } });
      await stage.backstage.jobIn("running", running);
      const waiting = await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.visit("#/items");
      await visitor.rowOf(running).waitFor();
      expect(await visitor.button(`Delete job ${running}`).count()).toBe(0);
      await visitor.button(`Delete job ${waiting}`).click();
      await visitor.confirm("Delete");
      await visitor.hears(`Deleted job ${waiting}.`);
      await visitor.rowOf(waiting).waitFor({ state: "detached" });
      expect(await stage.rows("select from jobqueue.v_jobs where id = $1", [waiting])).toEqual([]);
      gate.write();
    });

    it("says how many a filter means before it does anything to them, and leaves the others alone (G19)", async () => {
      const worker = await stage.backstage.worker("mail,other");
      await dead("mail", 3);
      await dead("other", 2);
      worker.signal("SIGKILL");
      await worker.exited;
      const visitor = await stage.visit("#/items?queue=mail&state=dead");
      await visitor.row("permanent").first().waitFor();
      await visitor.button("Retry all that match …").click();
      await visitor.dialog.getByRole("heading", { name: "Retry 3 jobs" }).waitFor();
      expect((await generations()).map(({ generation }) => generation)).toEqual([1, 1, 1, 1, 1]);
      await visitor.confirm("Retry 3 jobs", { "Why (required)": "the customers are back" });
      await visitor.hears("Retried 3 jobs.");
      expect(await generations()).toEqual([
        ...Array.from({ length: 3 }, () => ({ queue: "mail", generation: 2 })),
        ...Array.from({ length: 2 }, () => ({ queue: "other", generation: 1 })),
      ]);
      expect(await stage.audit()).toMatchObject([{ action: "retry", count: 3, reason: "the customers are back" }]);
    });

    it("does nothing to every job there is: without a filter it says to set one", async () => {
      await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.visit("#/items");
      await visitor.row("quick").waitFor();
      await visitor.button("Cancel all that match …").click();
      await visitor.hears("set a filter first");
      await visitor.button("Delete selected …").click();
      await visitor.hears("Nothing is selected");
    });

    it("deletes those that were ticked, also while the list goes on living", async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await stage.backstage.enqueue({ queue: "mail", kind: "quick" }));
      const visitor = await stage.visit("#/items");
      for (const id of ids.slice(0, 2)) await visitor.page.getByLabel(`Select job ${id}`, { exact: true }).check();
      await visitor.sees("2 selected.");
      const late = await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      await visitor.rowOf(late).waitFor();
      expect(await visitor.page.getByLabel(`Select job ${ids[0] ?? ""}`, { exact: true }).isChecked()).toBe(true);
      await visitor.button("Delete selected …").click();
      await visitor.confirm("Delete 2 jobs", { "Why (required)": "sent by hand" });
      await visitor.hears("Deleted 2 jobs.");
      const left = await stage.rows<{ id: string }>("select id from jobqueue.v_jobs order by id");
      expect(left.map(({ id }) => id)).toEqual([...ids.slice(2), late]);
    });

    it("turns pages", async () => {
      for (let n = 0; n < 51; n += 1)
        await stage.backstage.enqueue({ queue: "mail", kind: n === 0 ? "oldest" : "quick" });
      const visitor = await stage.visit("#/items");
      await visitor.row("quick").first().waitFor();
      expect(await visitor.row("oldest").count()).toBe(0);
      await visitor.button("Next page").click();
      await visitor.row("oldest").waitFor();
      await visitor.isAt("#/items?page=2");
      await visitor.button("Previous page").click();
      await visitor.row("quick").first().waitFor();
    });

    it("shows a payload to whoever may, as text and nothing else, and the look is in the audit trail (S23)", async () => {
      const markup = "<img src=x onerror=alert(1)>";
      const id = await stage.backstage.enqueue({ queue: "mail", kind: "quick", payload: { markup }, tag: markup });
      const visitor = await stage.visit("#/items");
      await visitor.button(`Show payload of job ${id}`).click();
      await visitor.sees(markup, visitor.dialog.locator("pre"));
      await visitor.dialog.getByRole("button", { name: "Close" }).click();
      expect(await stage.audit()).toMatchObject([{ action: "reveal" }]);
      await visitor.go(`#/jobs/${id}`);
      await visitor.sees(markup);
      expect(await visitor.page.locator("main img").count()).toBe(0);
      const viewer = await stage.visit("#/items", "viewer");
      await viewer.sees("hidden", viewer.rowOf(id));
      expect(await viewer.page.locator("main button[aria-label]").count()).toBe(0);
    });
  });

  describe("the page of one job", () => {
    it("tells what happened to it, its errors, and what to do", async () => {
      await stage.backstage.worker("mail");
      const id = await stage.backstage.enqueue({
        queue: "mail",
        kind: "throw",
        maxAttempts: 2,
        retry: { intervalsSeconds: [0] },
      });
      await stage.backstage.jobIn("dead", id);
      const visitor = await stage.visit(`#/jobs/${id}`);
      await visitor.sees("dead");
      await visitor.sees("2 of 2");
      await visitor.sees(/no such document/, visitor.page.getByRole("region", { name: "Error of attempt 2" }));
      await visitor.sees(/Its attempts are spent/);
      const timeline = visitor.page.getByRole("region", { name: "Timeline" });
      expect(
        (await timeline.getByRole("listitem").allInnerTexts()).map((text) => text.replace(/ \S+ \S+ ago$| now$/, "")),
      ).toEqual([
        "Enqueued",
        "Attempt 1 failed",
        expect.stringContaining("Claimed for attempt 2"),
        expect.stringContaining("Attempt 2 failed"),
        expect.stringContaining("Ended: dead"),
      ]);
      await visitor.button(`Retry job ${id}`).click();
      await visitor.confirm("Retry");
      await visitor.sees("Generation");
      await stage.until("the second generation", "select from jobqueue.v_jobs where id = $1 and generation = 2", [id]);
    });

    it("shows the lease of one that runs, counting down, and says why one does not run", async () => {
      const gate = stage.backstage.file("leased");
      const running = await stage.backstage.enqueue({ queue: "mail", kind: "wait", payload: { file: gate.path } });
      await stage.backstage.worker("mail", { env: { JOBQUEUE_SLOTS: "1" } });
      await stage.backstage.jobIn("running", running);
      const waiting = await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.visit(`#/jobs/${running}`);
      await visitor.sees(/token \d+, ends in \d/);
      await visitor.sees(/a live worker runs it/);
      await visitor.go(`#/jobs/${waiting}`);
      await visitor.sees(/slots of the 1 workers? that serves? it are busy/);
      gate.write();
      await visitor.sees(/Ended: completed/);
      await visitor.sees(/It was completed at/);
    });

    it("is found by its id, and says when there is none", async () => {
      const id = await stage.backstage.enqueue({ queue: "mail", kind: "quick" });
      const visitor = await stage.visit("#/jobs");
      await visitor.page.getByLabel("Id of the job").fill(id);
      await visitor.button("Look").click();
      await visitor.isAt(`#/jobs/${id}`);
      await visitor.sees("quick");
      await visitor.go("#/jobs/999999999");
      await visitor.sees(/The store has no job 999999999/);
      await visitor.expectComplaint(/status of 404/);
      await visitor.go("#/jobs/abc");
      await visitor.sees('"abc" is no id of a job.');
    });
  });
});

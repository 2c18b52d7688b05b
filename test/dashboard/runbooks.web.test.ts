/**
 * The runbooks walked from the dashboard alone, in the order of the page: look, decide, preview, act, verify. What is wrong is made by
 * real worker processes on a real store; what mends it are clicks and keys. The same from the command line alone:
 * charts/telemetry/runbooks.store.test.ts.
 */
import { fileURLToPath } from "node:url";
import { configureQueue, configureStore, enqueueMany, getJob, hold, listHolds, queuePolicy } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Visitor } from "../support/browser/visitor.ts";
import { LONG_LEASE } from "../../worker/src/testing/worker-process.ts";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { DashboardStage } from "./dashboard-stage.ts";

const HANDLERS = fileURLToPath(new URL("runbook-handlers.ts", import.meta.url));
const ACT = { actor: "test", reason: "test" };
/** Who is on call, and may change limits. */
const ON_CALL = "operator,queues:configure";

forNewestPostgres(({ adminUrl }) => {
  let stage: DashboardStage;
  beforeAll(async () => {
    stage = await DashboardStage.start(adminUrl);
  });
  afterAll(async () => stage.close());
  afterEach(async () => {
    await configureStore(database(), { recovery: null }, ACT);
    await stage.clear();
  });

  const database = () => stage.backstage.admin.store.database;
  const worker = async (queues: string, env: Readonly<Record<string, string>> = {}) =>
    stage.backstage.worker(queues, { handlers: HANDLERS, env: { JOBQUEUE_SLOTS: "4", ...env } });
  const enqueue = async (queue: string, kind: string, mended: string, many = 1): Promise<string[]> => {
    const job = { queue, kind, payload: { mended } };
    const stored = await enqueueMany(
      database(),
      Array.from({ length: many }, () => job),
    );
    return stored.map(({ id }) => id);
  };
  const states = async (ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await getJob(database(), id))?.state));
  const acts = async () =>
    (await stage.audit())
      .filter(({ actor }) => actor.startsWith("key:"))
      .map(({ action, target, reason, count }) => ({ action, target, reason, count }));

  /** Goes to a page by its link in the navigation, as somebody does who has no address. */
  const to = async (visitor: Visitor, page: string): Promise<void> => {
    const pages = visitor.page.getByRole("navigation", { name: "Pages of the dashboard" });
    await pages.getByRole("link", { name: page, exact: true }).click();
    await visitor.page.getByRole("heading", { level: 1, name: page, exact: true }).waitFor();
  };
  const queueLink = async (visitor: Visitor, queue: string, text: string): Promise<void> =>
    visitor.rowOf(queue).getByRole("link", { name: text, exact: true }).click();
  const filter = (visitor: Visitor, label: string) => visitor.page.getByLabel(label, { exact: true });

  describe("the runbook", () => {
    it("StaleJobs: what a lost worker ran is found, its worker is looked at, and it is handed on as each job needs it (G5, G19)", async () => {
      await configureStore(database(), { recovery: "report" }, ACT);
      const gate = stage.backstage.file("stale");
      const [mail = ""] = await enqueue("mailers", "import", gate.path);
      const [load = ""] = await enqueue("imports", "import", gate.path);
      const lost = await worker("mailers,imports");
      for (const id of [mail, load]) await stage.backstage.jobIn("running", id);
      lost.signal("SIGKILL");
      await worker("mailers,imports", LONG_LEASE);
      const visitor = await stage.visit("#/queues", ON_CALL);

      // Look.
      await queueLink(visitor, "mailers", "1 stale");
      await visitor.isAt("#/recovery?queue=mailers");
      await visitor.rowOf(mail).getByRole("rowheader").getByRole("link").click();
      await visitor.sees(/Its worker fell silent/);
      await visitor.sees(/it has lapsed/);
      await visitor.page.getByRole("link", { name: /\/\d+$/ }).click();

      // Decide: it is gone, and another is there.
      await visitor.sees("No heartbeat renewed its lease in time: what it runs is stale.");
      await to(visitor, "Workers");
      await visitor.sees("lapsed", visitor.row("mailers, imports"));
      await visitor.sees("healthy", visitor.row("mailers, imports"));

      // Preview, and act: the mail may be sent again, the import must not.
      await to(visitor, "Recovery");
      await visitor.rowOf(load).waitFor();
      await filter(visitor, "Queue").fill("mailers");
      await visitor.rowOf(load).waitFor({ state: "detached" });
      await visitor.sees("It becomes pending again; no attempt is spent.", visitor.rowOf(mail));
      await visitor.button("Recover …").click();
      await visitor.confirm("Recover", { "Why (required)": "node-7 is gone for good" });
      await visitor.hears("Done: 1 job: 1 retried.");
      await filter(visitor, "Queue").fill("imports");
      await filter(visitor, "What becomes of them").selectOption({ label: "they are held for a person" });
      await visitor.sees("It is held for a person, by its policy.", visitor.rowOf(load));
      expect(await states([load])).toEqual(["running"]);
      await visitor.button("Recover …").click();
      await visitor.confirm("Recover", { "Why (required)": "takes workers down" });
      await visitor.hears("Done: 1 job: 1 held.");

      // Verify.
      await filter(visitor, "Queue").fill("");
      await visitor.sees("No job is stale.");
      gate.write();
      await visitor.go(`#/jobs/${mail}`);
      await visitor.sees(/Ended: completed/);
      await visitor.go(`#/jobs/${load}`);
      await visitor.sees(/it is held for a person: find out what it had done/);
      await to(visitor, "Queues");
      await visitor.rowOf("mailers").waitFor();
      await visitor.row(/\d stale/).waitFor({ state: "detached" });
      await to(visitor, "Audit");
      await visitor.sees("node-7 is gone for good");
      await visitor.sees("takes workers down");
      expect(await states([mail, load])).toEqual(["completed", "deferred"]);
      expect(await getJob(database(), mail)).toMatchObject({ attempt: 1, recoveries: 1 });
      expect(await acts()).toEqual([
        { action: "recover_stale", target: "jobs", reason: "node-7 is gone for good", count: 1 },
        { action: "recover_stale", target: "jobs", reason: "takes workers down", count: 1 },
      ]);
    });

    it("DeadLetters: the error is read, new jobs are kept from dying, one is tried, then the rest (G6, G11, G19)", async () => {
      const relay = stage.backstage.file("relay");
      const ids = await enqueue("mailers", "welcome", relay.path, 3);
      await worker("mailers");
      for (const id of ids) await stage.backstage.jobIn("dead", id);
      const [first = ""] = ids;
      const visitor = await stage.visit("#/queues", ON_CALL);

      // Look.
      await queueLink(visitor, "mailers", "3");
      await visitor.isAt("#/items?queue=mailers&state=dead");
      await visitor.rowOf(first).getByRole("link", { name: first, exact: true }).click();
      await visitor.sees(/because of permanent/);
      await visitor.sees(/the relay refused the connection/);
      await visitor.sees(/change what it works on before you retry/);

      // Decide: it is the system. Until it is mended no other job is to die.
      await visitor.page.getByRole("link", { name: "mailers", exact: true }).click();
      await visitor.button("Pause …").click();
      await visitor.confirm("Pause", { "Why (required)": "SMTP relay is down", "For how long": "1 hour" });
      await visitor.hears("Paused mailers.");
      const [late = ""] = await enqueue("mailers", "welcome", relay.path);
      await visitor.sees(/SMTP relay is down/, visitor.page.locator(".reasons"));
      expect(await states([late])).toEqual(["pending"]);

      // Preview: nothing happens but that it is said how many.
      relay.write();
      await visitor.go("#/items?queue=mailers&state=dead");
      await visitor.button("Retry all that match …").click();
      await visitor.dialog.getByRole("heading", { name: "Retry 3 jobs" }).waitFor();
      await visitor.dialog.getByRole("button", { name: "Back" }).click();
      expect(await states(ids)).toEqual(["dead", "dead", "dead"]);

      // Act: one, and when that went well the others.
      await visitor.go("#/queues/mailers");
      await visitor.button("Release dashboard of mailers").click();
      await visitor.confirm("Release", { Why: "mail server is back" });
      await visitor.hears("Released dashboard of mailers.");
      await visitor.go(`#/jobs/${first}`);
      await visitor.button(`Retry job ${first}`).click();
      await visitor.confirm("Retry", { Why: "mail server is back" });
      await visitor.sees(/Ended: completed/);
      await visitor.go("#/items?queue=mailers&state=dead");
      await visitor.button("Retry all that match …").click();
      await visitor.confirm("Retry 2 jobs", { "Why (required)": "mail server is back" });
      await visitor.hears("Retried 2 jobs.");

      // Verify.
      await visitor.sees("No item fits.");
      for (const id of [...ids, late]) await stage.backstage.jobIn("completed", id);
      expect((await getJob(database(), first))?.generation).toBe(2);
      expect(await listHolds(database())).toEqual([]);
      expect((await acts()).map(({ action, reason, count }) => [action, reason, count])).toEqual([
        ["hold", "SMTP relay is down", 1],
        ["release", "mail server is back", 1],
        ["retry", "mail server is back", 1],
        ["retry", "mail server is back", 2],
      ]);
    });

    it("QueueBacklogGrowing: workers have free slots, a limit holds the queue back, and it is raised (G13, G19)", async () => {
      const gate = stage.backstage.file("backlog");
      await configureQueue(database(), "mailers", { maxRunning: 1 }, ACT);
      const ids = await enqueue("mailers", "import", gate.path, 6);
      await worker("mailers");
      await stage.until("one to run", "select from jobqueue.v_jobs where state = 'running'");
      const visitor = await stage.visit("#/queues", ON_CALL);

      // Look: what waits, why, and what the workers do meanwhile.
      await visitor.sees("5", visitor.rowOf("mailers").getByRole("link"));
      await queueLink(visitor, "mailers", "mailers");
      await visitor.sees(/as many as max_running allows/);
      await visitor.sees("at most 1 running");
      await to(visitor, "Workers");
      await visitor.sees("healthy", visitor.row("mailers"));
      await visitor.sees("1 of 4", visitor.row("mailers"));

      // Preview: what waits.
      await to(visitor, "Queues");
      await queueLink(visitor, "mailers", "5");
      await visitor.isAt("#/items?queue=mailers&state=pending");
      await visitor.row("import").first().waitFor();
      expect(await visitor.row("import").count()).toBe(5);

      // Act.
      await visitor.go("#/queues/mailers");
      await visitor.button("Limits …").click();
      expect(await visitor.dialog.getByLabel("Most jobs at once", { exact: true }).inputValue()).toBe("1");
      await visitor.dialog.getByLabel("Most jobs at once", { exact: true }).fill("many");
      await visitor.dialog.getByLabel("Why (required)").fill("backlog");
      await visitor.dialog.getByRole("button", { name: "Change" }).click();
      await visitor.sees(/policy\.maxRunning/, visitor.dialog.getByRole("alert"));
      await visitor.expectComplaint(/status of 400/);
      await visitor.dialog.getByLabel("Most jobs at once", { exact: true }).fill("40");
      await visitor.dialog.getByLabel("Why (required)").fill("backlog, agreed with the owner");
      await visitor.dialog.getByRole("button", { name: "Change" }).click();
      await visitor.hears("Changed the limits of mailers.");

      // Verify: it runs as many as the workers can, and what waits becomes less.
      await visitor.sees("at most 40 running");
      await to(visitor, "Workers");
      await visitor.sees("4 of 4", visitor.row("mailers"));
      gate.write();
      await to(visitor, "Queues");
      await visitor.rowOf("mailers").getByRole("link", { name: /^\d$/ }).first().waitFor({ state: "detached" });
      for (const id of ids) await stage.backstage.jobIn("completed", id);
      expect(await queuePolicy(database(), "mailers")).toMatchObject({ maxRunning: 40, fair: false, rate: null });
      expect(await acts()).toEqual([
        { action: "configure_queue", target: "mailers", reason: "backlog, agreed with the owner", count: 1 },
      ]);
    });

    it("QueuePausedAndForgotten: who paused it and why is found, what is too late is cancelled, and the rest goes gently (G11, G19)", async () => {
      const sent = stage.backstage.file("sent");
      sent.write();
      await hold(database(), { queue: "mailers", name: "ana", reason: "SMTP is down", actor: "ana", source: "cli" });
      const [old = "", young = ""] = await enqueue("mailers", "welcome", sent.path, 2);
      await stage.rows("update jobqueue.holds set since = since - interval '25 hours'");
      await stage.rows("update jobqueue.jobs set created_at = created_at - interval '2 days' where id = $1", [old]);
      await worker("mailers");
      const visitor = await stage.visit("#/queues", ON_CALL);

      // Look.
      await visitor.sees("paused", visitor.rowOf("mailers"));
      await visitor.sees(/SMTP is down — by ana \(cli\)/, visitor.rowOf("mailers"));
      await visitor.sees(/^1 d 1 h ago$/, visitor.rowOf("mailers"));
      await queueLink(visitor, "mailers", "mailers");
      await visitor.sees(/It is held by ana/);
      await to(visitor, "Audit");
      await filter(visitor, "Of what (queue, job, schedule)").fill("mailers");
      await visitor.sees("hold", visitor.row("SMTP is down"));

      // Decide: ana says that the relay is back. Preview: what would begin to run, and what of it is too late.
      await to(visitor, "Queues");
      await queueLink(visitor, "mailers", "2");
      await visitor.rowOf(young).waitFor();
      await filter(visitor, "Older than").selectOption({ label: "a day" });
      await visitor.rowOf(young).waitFor({ state: "detached" });
      await visitor.rowOf(old).waitFor();

      // Act.
      await visitor.button("Cancel all that match …").click();
      await visitor.confirm("Cancel 1 job", { "Why (required)": "too late to be sent" });
      await visitor.hears("Cancelled 1 job.");
      expect(await states([old, young])).toEqual(["cancelled", "pending"]);
      await to(visitor, "Queues");
      await queueLink(visitor, "mailers", "mailers");
      await visitor.button("Limits …").click();
      await visitor.confirm("Change", {
        "Most starts": "100",
        "in so many seconds": "60",
        "Why (required)": "after a long pause",
      });
      await visitor.sees("at most 100 starts in 60 s");
      await visitor.button("Release ana of mailers").click();
      await visitor.confirm("Release", { Why: "ana: the relay is back" });

      // Verify.
      await visitor.sees("open");
      await visitor.go(`#/jobs/${young}`);
      await visitor.sees(/Ended: completed/);
      expect(await states([old, young])).toEqual(["cancelled", "completed"]);
      expect(await listHolds(database())).toEqual([]);
      expect((await acts()).map(({ action, reason }) => [action, reason])).toEqual([
        ["cancel", "too late to be sent"],
        ["configure_queue", "after a long pause"],
        ["release", "ana: the relay is back"],
      ]);
    });

    it("DeadLetters, a poisoned job: it took its workers down, which is said, and runs alone once that is mended (G6, G9, G19)", async () => {
      const mended = stage.backstage.file("template");
      await configureQueue(database(), "mailers", { maxRecoveries: 2 }, ACT);
      const workers = await Promise.all([1, 2, 3].map(async () => worker("mailers", { JOBQUEUE_SLOTS: "1" })));
      const [id = ""] = await enqueue("mailers", "render", mended.path);
      await stage.until("the job to be dead", "select from jobqueue.v_jobs where id = $1 and dead_reason = 'poison'", [
        id,
      ]);
      expect(workers.filter(({ isRunning }) => isRunning)).toHaveLength(1);
      const visitor = await stage.visit("#/queues", ON_CALL);

      // Look.
      await queueLink(visitor, "mailers", "1");
      await visitor.isAt("#/items?queue=mailers&state=dead");
      await visitor.rowOf(id).getByRole("link", { name: id, exact: true }).click();
      await visitor.sees(/because of poison/);
      await visitor.sees(/poison: it lost 2 workers, the last was worker \d/);
      await visitor.sees(/and 2 lost with workers/);

      // Decide: it takes workers down. Which they were, and that another is there.
      await visitor.sees(/find out whether it kills them \(memory, crash\) before you retry/);
      await to(visitor, "Workers");
      await visitor.sees("healthy", visitor.row("mailers"));
      await filter(visitor, "Also those that left").check();
      await visitor.sees(/^(lapsed|fenced|gone)$/, visitor.row("mailers"));

      // Act, when it is mended: nothing else runs on that worker.
      mended.write();
      await visitor.go(`#/jobs/${id}`);
      await visitor.button(`Retry job ${id}`).click();
      await visitor.confirm("Retry", { Why: "the template is mended" });

      // Verify.
      await visitor.sees(/Ended: completed/);
      await to(visitor, "Queues");
      await visitor.rowOf("mailers").getByRole("link", { name: "1", exact: true }).waitFor({ state: "detached" });
      expect(await getJob(database(), id)).toMatchObject({ state: "completed", generation: 2, recoveries: 0 });
      expect(workers.filter(({ isRunning }) => isRunning)).toHaveLength(1);
      expect(await acts()).toMatchObject([{ action: "retry", reason: "the template is mended", count: 1 }]);
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { claim, complete, enqueue, fail, hold, listAuditEvents, registerWorker } from "@jobqueue/store";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { AdminUnderTest } from "./testing/admin-under-test.ts";

forEachPostgres(({ adminUrl }) => {
  let admin: AdminUnderTest;
  let key: string;
  beforeAll(async () => {
    admin = await AdminUnderTest.start(adminUrl);
    key = await admin.key("admin", "ana");
  });
  afterAll(async () => admin.close());
  beforeEach(async () => admin.store.clear());

  const get = async (path: string) => admin.ask("GET", path, { key });
  const add = async (more: object = {}): Promise<string> =>
    (
      await enqueue(admin.store.database, {
        queue: "mailers",
        kind: "send",
        payload: { to: "secret@example.org" },
        ...more,
      })
    ).id;
  const run = async () => {
    const workerId = await registerWorker(admin.store.database, { bootId: crypto.randomUUID(), queues: ["mailers"] });
    const [job] = await claim(admin.store.database, { workerId, queues: ["mailers"], max: 1 });
    if (job === undefined) throw new Error("nothing to claim");
    return { ...job, workerId };
  };
  const dead = async (): Promise<string> => {
    await add();
    const job = await run();
    await fail(admin.store.database, [{ ...job, error: "no such address", permanent: true }]);
    return job.id;
  };
  const events = async () =>
    (await listAuditEvents(admin.store.database)).filter(({ action }) => action !== "create_api_key");

  describe("queues", () => {
    it("lists queues with their counts, and the holds that pause them", async () => {
      await add();
      await add({ queue: "imports" });
      await hold(admin.store.database, { queue: "*", name: "upgrade", reason: "disks", actor: "bob", source: "cli" });
      const { json } = await get("/api/v1/queues");
      expect(json).toMatchObject({
        partial: false,
        everyQueue: [{ name: "upgrade", actor: "bob" }],
        queues: [
          { queue: "imports", pending: 1, paused: true, holds: [{ queue: "*" }] },
          { queue: "mailers", pending: 1, paused: true },
        ],
      });
      expect((await get("/api/v1/queues/mailers")).json).toMatchObject({ queue: { queue: "mailers", running: 0 } });
      expect((await get("/api/v1/queues/nothing")).status).toBe(404);
    });

    it("pauses before any worker or job exists, until an instant, and says what is left on release (G11, G19)", async () => {
      const placed = await admin.ask("PUT", "/api/v1/queues/mailers/holds/smtp-down", {
        key,
        body: { reason: "SMTP", forSeconds: 60 },
      });
      expect(placed.json).toMatchObject({
        paused: true,
        holds: [{ name: "smtp-down", source: "api", actor: "key:ana", reason: "SMTP" }],
      });
      await add();
      await expect(run()).rejects.toThrow("nothing to claim");
      expect((await get("/api/v1/queues/mailers/why")).json).toMatchObject({
        reasons: [{ code: "held" }],
      });
      await admin.ask("PUT", "/api/v1/queues/*/holds/all", { key, body: { reason: "all" } });
      const left = await admin.ask("DELETE", "/api/v1/queues/mailers/holds/smtp-down", { key });
      expect(left.json).toMatchObject({ paused: true, holds: [{ queue: "*", name: "all" }] });
      expect((await admin.ask("DELETE", "/api/v1/queues/mailers/holds/smtp-down", { key })).status).toBe(404);
      await admin.ask("DELETE", "/api/v1/queues/*/holds/all", { key });
      await run();
      expect((await events()).map(({ action, actor }) => [action, actor])).toEqual([
        ["release", "key:ana"],
        ["release", "key:ana"],
        ["hold", "key:ana"],
        ["hold", "key:ana"],
      ]);
    });

    it("does not place the hold that belongs to Git, nor take two ends", async () => {
      expect((await admin.ask("PUT", "/api/v1/queues/mailers/holds/spec", { key, body: { reason: "r" } })).status).toBe(
        409,
      );
      const both = { reason: "r", forSeconds: 5, until: "2999-01-01T00:00:00Z" };
      expect((await admin.ask("PUT", "/api/v1/queues/mailers/holds/x", { key, body: both })).status).toBe(400);
    });
  });

  describe("jobs", () => {
    it("enqueues, and answers a repeat with the job that is there (G2)", async () => {
      const body = {
        queue: "mailers",
        kind: "send",
        payload: { n: 1 },
        uniqueKey: "u1",
        labels: { team: "a" },
        tag: "t",
      };
      const first = await admin.ask("POST", "/api/v1/jobs", { key, body });
      expect(first).toMatchObject({ status: 201, json: { outcome: "inserted" } });
      expect((await admin.ask("POST", "/api/v1/jobs", { key, body })).json).toEqual({
        ...(first.json as object),
        outcome: "duplicate",
      });
    });

    it("filters, and walks pages by id without gap or repeat", async () => {
      const ids: string[] = [];
      for (let index = 0; index < 7; index++) ids.push(await add({ labels: { team: index < 5 ? "a" : "b" } }));
      await add({ queue: "imports" });
      const seen: string[] = [];
      for (let after = ""; ;) {
        const { json } = await get(`/api/v1/jobs?queue=mailers&state=pending&label=team=a&limit=2${after}`);
        const page = json as { jobs: { id: string }[]; next: string | null };
        seen.push(...page.jobs.map(({ id }) => id));
        if (page.next === null) break;
        after = `&after=${page.next}`;
      }
      expect(seen).toEqual(ids.slice(0, 5).toReversed());
    });

    it("never shows what a job carries but by the route that is audited, once per person and five minutes (S24)", async () => {
      const id = await add();
      for (const path of ["/api/v1/jobs", `/api/v1/jobs/${id}`]) expect((await get(path)).text).not.toContain("secret");
      const reader = await admin.key("operator,audit:read");
      expect((await admin.ask("GET", `/api/v1/jobs/${id}/payload`, { key: reader })).status).toBe(403);
      for (let look = 0; look < 3; look++) {
        expect((await get(`/api/v1/jobs/${id}/payload?reason=ticket%207`)).json).toEqual({
          id,
          payload: { to: "secret@example.org" },
          result: null,
        });
      }
      expect(await events()).toMatchObject([
        { action: "reveal", actor: "key:ana", target: `jobs/${id}`, reason: "ticket 7" },
      ]);
    });

    it("retries a dead job, keeping its error, and refuses others with the state that forbids it (G6)", async () => {
      const id = await dead();
      const { status, json } = await admin.ask("POST", `/api/v1/jobs/${id}/retry`, {
        key,
        body: { reason: "address mended" },
      });
      expect({ status, json }).toMatchObject({
        status: 200,
        json: { state: "pending", generation: 2, attempt: 0, lastError: "no such address" },
      });
      const again = await admin.ask("POST", `/api/v1/jobs/${id}/retry`, { key });
      expect(again).toMatchObject({ status: 409, json: { code: "conflict", state: "pending" } });
      expect((await admin.ask("POST", "/api/v1/jobs/999999/retry", { key })).status).toBe(404);
      expect(await events()).toMatchObject([{ action: "retry", event: "admin_job_retry", reason: "address mended" }]);
    });

    it("cancels at once, or asks the worker; deletes what has not started and refuses what runs", async () => {
      const waiting = await add();
      expect((await admin.ask("POST", `/api/v1/jobs/${waiting}/cancel`, { key })).json).toEqual({
        id: waiting,
        outcome: "cancelled",
      });
      await add();
      const { id } = await run();
      expect((await admin.ask("DELETE", `/api/v1/jobs/${id}`, { key })).json).toMatchObject({
        code: "conflict",
        state: "running",
      });
      expect((await admin.ask("POST", `/api/v1/jobs/${id}/cancel`, { key })).json).toEqual({
        id,
        outcome: "requested",
      });
      const gone = await add();
      expect((await admin.ask("DELETE", `/api/v1/jobs/${gone}?reason=dup`, { key })).json).toEqual({
        id: gone,
        deleted: true,
      });
      expect((await get(`/api/v1/jobs/${gone}`)).status).toBe(404);
      expect((await get(`/api/v1/jobs/${gone}/why`)).status).toBe(404);
      expect((await get(`/api/v1/jobs/${id}/why`)).json).toMatchObject({ reasons: [{ code: "cancel_requested" }] });
    });

    it("acts in bulk: first says how many, then does at most so many, with one audit event (S25)", async () => {
      for (let index = 0; index < 5; index++) await add();
      const body = { filter: { queue: "mailers", state: "pending" }, reason: "sent by hand", max: 3 };
      const preview = await admin.ask("POST", "/api/v1/bulk/delete", { key, body: { ...body, dryRun: true } });
      expect(preview.json).toMatchObject({ matched: 5, changed: 0, dryRun: true });
      expect((await admin.ask("POST", "/api/v1/bulk/delete", { key, body })).json).toMatchObject({
        matched: 5,
        changed: 3,
      });
      expect(await events()).toMatchObject([{ action: "delete", count: 3, actor: "key:ana", reason: "sent by hand" }]);
      const everything = await admin.ask("POST", "/api/v1/bulk/delete", { key, body: { ...body, filter: {} } });
      expect(everything.json).toMatchObject({
        code: "bad_request",
        error: expect.stringContaining("every job of the store") as string,
      });
    });
  });

  it("shows workers with verdicts, previews a recovery and runs it (G3, G19)", async () => {
    await add();
    const { id, workerId } = await run();
    expect((await get("/api/v1/workers")).json).toMatchObject({
      workers: [{ id: workerId, verdict: "healthy", running: 1 }],
    });
    await admin.store.lapse(workerId);
    expect((await get(`/api/v1/workers/${workerId}`)).json).toMatchObject({ verdict: "lapsed", isLive: false });
    const preview = { dryRun: true, jobs: [{ id, queue: "mailers", workerId, outcome: "retried" }] };
    expect((await get("/api/v1/recovery?queue=mailers")).json).toEqual(preview);
    expect(await events()).toEqual([]);
    const done = await admin.ask("POST", "/api/v1/recovery", { key, body: { reason: "node is gone" } });
    expect(done.json).toEqual({ ...preview, dryRun: false });
    expect((await get(`/api/v1/jobs/${id}`)).json).toMatchObject({ state: "pending", recoveries: 1 });
    expect((await get("/api/v1/audit?event=admin_jobs_recover_stale")).json).toMatchObject({
      events: [{ action: "recover_stale", actor: "key:ana", reason: "node is gone", count: 1 }],
      next: null,
    });
  });

  it("makes, previews, pauses, resumes and deletes schedules", async () => {
    const body = {
      queue: "mailers",
      kind: "report",
      cron: "0 3 * * *",
      timeZone: "Europe/Berlin",
      payload: { all: true },
    };
    const path = "/api/v1/schedules/reports%2Fnightly";
    expect((await admin.ask("PUT", path, { key, body })).json).toMatchObject({
      name: "reports/nightly",
      paused: false,
    });
    expect((await get(path)).json).toMatchObject({ schedule: { cron: "0 3 * * *" }, ticks: [], next: { length: 5 } });
    expect((await admin.ask("POST", `${path}/pause`, { key })).json).toMatchObject({ paused: true });
    expect((await admin.ask("POST", `${path}/resume`, { key, body: { reason: "on" } })).json).toMatchObject({
      paused: false,
    });
    const { json } = await admin.ask("POST", `${path}/trigger`, { key, body: { reason: "now" } });
    const { jobId } = json as { jobId: string };
    expect((await get(`/api/v1/jobs/${jobId}`)).json).toMatchObject({ kind: "report", state: "pending" });
    expect((await admin.ask("POST", "/api/v1/schedules/nothing/trigger", { key })).status).toBe(404);
    expect((await get("/api/v1/schedules")).text).not.toContain("payload");
    expect((await get("/api/v1/schedule-preview?cron=0+3+*+*+*&timeZone=Europe/Berlin&count=2")).json).toMatchObject({
      ticks: { length: 2 },
    });
    const wrong = await get("/api/v1/schedule-preview?cron=61+*+*+*+*");
    expect(wrong).toMatchObject({ status: 400, json: { code: "bad_request" } });
    expect((await admin.ask("DELETE", path, { key })).json).toEqual({ name: "reports/nightly", deleted: true });
    expect((await admin.ask("DELETE", path, { key })).status).toBe(404);
    expect((await events()).map(({ action }) => action)).toEqual([
      "delete_schedule",
      "trigger_schedule",
      "pause_schedule",
      "pause_schedule",
      "put_schedule",
    ]);
  });

  it("counts, says what store it is, who one is, and that it is ready", async () => {
    await dead();
    await add();
    await complete(admin.store.database, [await run()]);
    expect((await get("/api/v1/counts")).json).toMatchObject({
      partial: false,
      counts: [
        { queue: "mailers", kind: "send", state: "completed", jobs: 1 },
        { queue: "mailers", kind: "send", state: "dead", jobs: 1 },
      ],
    });
    expect((await get("/api/v1/store")).json).toMatchObject({ schema: "jobqueue" });
    expect((await get("/api/v1/whoami")).json).toMatchObject({ actor: "key:ana", by: "key" });
    expect((await get("/readyz")).text).toBe("ok\n");
    expect((await get("/livez")).text).toBe("ok\n");
    expect((await get("/metrics")).text).toContain(
      'jobqueue_admin_request_seconds_count{operation="getStore",status="200"} 1',
    );
  });
});

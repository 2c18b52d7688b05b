/** Publaryn's job queue recovery runbook: its requests, its fields, its order of steps. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { JOB_STATE_NAMES, listAuditEvents } from "@jobqueue/store";
import { eventually } from "../support/eventually.ts";
import { forNewestPostgres } from "../support/postgres/database.ts";
import { ContractStage } from "./contract-stage.ts";

interface Listed {
  readonly jobs: readonly Record<string, unknown>[];
  readonly summary: Record<string, unknown> & {
    readonly by_status: Record<string, number>;
    readonly by_kind: Record<string, number>;
  };
  readonly total: number;
}

forNewestPostgres(({ adminUrl }) => {
  let stage: ContractStage;
  let key: string;
  beforeAll(async () => {
    stage = await ContractStage.start(adminUrl);
    key = await stage.admin.key("audit:read,jobs:recover,jobs:retry", "platform-admin");
  });
  afterAll(async () => stage.close());
  beforeEach(async () => stage.clear());

  const list = async (query = ""): Promise<Listed> =>
    (await stage.admin.ask("GET", `/v1/admin/jobs${query}`, { key })).json as Listed;

  describe("the recovery runbook of Publaryn", () => {
    it("step 1: the summary says where the queue is blocked", async () => {
      for (const kind of ["scan_artifact", "scan_artifact", "cleanup_oci_blobs"])
        await stage.enqueue({ queue: "registry", kind });
      await stage.admin.store.database.query(
        "update jobqueue.jobs set created_at = created_at - interval '10 minutes', run_at = run_at - interval '10 minutes' where kind = 'cleanup_oci_blobs'",
      );
      const { summary, jobs, total } = await list();
      expect(Object.keys(summary.by_status).toSorted()).toEqual([...JOB_STATE_NAMES].toSorted());
      expect(summary).toMatchObject({
        by_status: { pending: 3, running: 0, completed: 0, failed: 0, dead: 0 },
        by_kind: { scan_artifact: 2, cleanup_oci_blobs: 1 },
        oldest_pending_age_minutes: 10,
        stale_jobs_count: 0,
      });
      expect({ listed: jobs.length, total }).toEqual({ listed: 3, total: 3 });
    });

    it("filters by state and kind, and pages", async () => {
      for (let n = 0; n < 5; n++)
        await stage.enqueue({ queue: "registry", kind: n < 3 ? "scan_artifact" : "reindex_search" });
      expect((await list("?kind=reindex_search")).jobs).toHaveLength(2);
      expect((await list("?state=running")).jobs).toHaveLength(0);
      const [first, second] = [await list("?state=pending&per_page=3"), await list("?state=pending&per_page=3&page=2")];
      expect([first.jobs.length, second.jobs.length, second.total]).toEqual([3, 2, 5]);
      const wrong = await stage.admin.ask("GET", "/v1/admin/jobs?state=RUNNING", { key });
      expect(wrong.json).toMatchObject({ code: "bad_request", field: "state", allowed: [...JOB_STATE_NAMES] });
      for (const query of ["page=-1", "per_page=1000000000", "page=1&page=2", "limit=5"]) {
        expect((await stage.admin.ask("GET", `/v1/admin/jobs?${query}`, { key })).status).toBe(400);
      }
    });

    it("stale running jobs: seen, recovered, and claimed again by another worker", async () => {
      const gate = stage.file("stale");
      const id = await stage.enqueue({ queue: "registry", kind: "wait", payload: { file: gate.path } });
      // A lease longer than the test, so that only the operator's eyes and hands find out.
      const lost = await stage.worker("registry", { env: { JOBQUEUE_LEASE_SECONDS: "60" } });
      await stage.jobIn("running", id);
      lost.signal("SIGKILL");
      await lost.exited;
      await stage.admin.store.database.query(
        "update jobqueue.workers set lease_until = clock_timestamp() - interval '1 second'",
      );
      const stale = await list("?state=running");
      expect(stale.summary["stale_jobs_count"]).toBe(1);
      expect(stale.jobs).toMatchObject([{ id, state: "running", attempts: 1, is_stale: true, can_retry: false }]);
      expect(stale.jobs[0]?.["locked_by"]).toBeTypeOf("string");
      expect(new Date(stale.jobs[0]?.["locked_until"] as string).getTime()).toBeLessThan(Date.now());
      expect(stale.jobs[0]?.["recovery_hint"]).toContain("recover-stale");

      const recovered = await stage.admin.ask("POST", "/v1/admin/jobs/recover-stale", { key });
      expect(recovered.json).toEqual({ recovered_count: 1, jobs: [{ id, outcome: "retried" }] });
      expect((await list("?state=pending")).jobs).toMatchObject([
        { id, locked_by: null, locked_until: null, is_stale: false },
      ]);
      expect((await stage.admin.ask("POST", "/v1/admin/jobs/recover-stale", { key })).json).toMatchObject({
        recovered_count: 0,
      });
      gate.write();
      await stage.worker("registry");
      await stage.jobIn("completed", id);
      const events = await listAuditEvents(stage.admin.store.database, { event: "admin_jobs_recover_stale" });
      expect(events, "one per effective call (D2)").toMatchObject([{ actor: "key:platform-admin", count: 1 }]);
    });

    it("dead letters: replayed with attempts from the start and last_error kept; the rest refused with a reason", async () => {
      const id = await stage.enqueue({ queue: "letters", kind: "permanent", maxAttempts: 3 });
      const worker = await stage.worker("letters");
      await stage.jobIn("dead", id);
      worker.signal("SIGTERM");
      await worker.exited;
      const [dead] = (await list("?state=dead")).jobs;
      expect(dead).toMatchObject({ id, attempts: 1, max_attempts: 3, can_retry: true, is_stale: false });
      expect(dead?.["last_error"]).toContain("no such customer");
      const retried = await stage.admin.ask("POST", `/v1/admin/jobs/${id}/retry`, { key });
      expect(retried.json).toMatchObject({
        id,
        state: "pending",
        attempts: 0,
        locked_by: null,
        completed_at: null,
        last_error: dead?.["last_error"],
      });
      const again = await stage.admin.ask("POST", `/v1/admin/jobs/${id}/retry`, { key });
      expect(again).toMatchObject({ status: 409, json: { code: "conflict", state: "pending" } });
      expect((await stage.admin.ask("POST", "/v1/admin/jobs/999999999/retry", { key })).status).toBe(404);
      expect(await listAuditEvents(stage.admin.store.database, { event: "admin_job_retry" })).toMatchObject([
        { actor: "key:platform-admin", target: `jobs/${id}` },
      ]);
      await stage.worker("letters");
      await stage.jobIn("dead", id);
    });

    it("needs audit:read to look, and more to act; the counter is public", async () => {
      await stage.enqueue({ queue: "registry", kind: "scan_artifact" });
      const reader = await stage.admin.key("audit:read");
      expect((await stage.admin.ask("GET", "/v1/admin/jobs", { key: reader })).status).toBe(200);
      expect((await stage.admin.ask("POST", "/v1/admin/jobs/recover-stale", { key: reader })).status).toBe(403);
      expect((await stage.admin.ask("GET", "/v1/admin/jobs", { key: await stage.admin.key("jobs:read") })).status).toBe(
        403,
      );
      expect((await stage.admin.ask("GET", "/v1/admin/jobs")).status).toBe(401);
      await eventually("the counter", async () => {
        const { json } = await stage.admin.ask("GET", "/v1/stats");
        return (json as { job_queue_pending: number }).job_queue_pending === 1 ? true : undefined;
      });
    });

    it("D2: answers twenty impatient people at once, and recovers each job once", async () => {
      const workerId = await stage.admin.store.worker();
      for (let n = 0; n < 20; n++) await stage.enqueue({ queue: "registry", kind: "scan_artifact" });
      await stage.admin.store.database.query("select jobqueue.claim($1, array['registry'], 20)", [workerId]);
      await stage.admin.store.lapse(workerId);
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => stage.admin.ask("POST", "/v1/admin/jobs/recover-stale", { key })),
      );
      const counts = answers.map(({ json }) => (json as { recovered_count: number }).recovered_count);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20);
      const events = await listAuditEvents(stage.admin.store.database, { event: "admin_jobs_recover_stale" });
      expect(events).toHaveLength(counts.filter((count) => count > 0).length);
    });
  });
});

import { getJob, listWorkers } from "@jobqueue/store";
import { PostgresServer } from "@jobqueue/test/support/postgres/server.ts";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const [adminUrl] = Object.values(inject("postgres")).slice(-1) as [string];

describe("a worker that is asked to stop", () => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("W11: is not ready any more, claims nothing more, finishes what runs, leaves the store and exits 0", async () => {
    const worker = await stage.worker({ env: LONG_LEASE });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    expect(await worker.probe("/readyz")).toEqual({ status: 200, text: "ok\n" });
    worker.signal("SIGTERM");
    await worker.logged("draining");
    expect(await worker.probe("/readyz")).toEqual({ status: 503, text: "draining\n" });
    expect((await worker.probe("/livez")).status).toBe(200);
    const [later] = await stage.enqueue({ kind: "quick" });
    stage.touch("go");
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(await getJob(stage.database, id ?? "")).toMatchObject({ state: "completed", result: { pid: worker.pid } });
    expect(await getJob(stage.database, later ?? "")).toMatchObject({ state: "pending", attempt: 0 });
    expect(await listWorkers(stage.database, { includeGone: true })).toMatchObject([
      { state: "gone", goneReason: "deregistered" },
    ]);
  });

  it("G9, W11: aborts after the drain timeout and gives back what still runs, with no attempt spent, also what ignores its abort", async () => {
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "0.5" } });
    const file = stage.path("never");
    const ids = await stage.enqueue({ kind: "wait", payload: { file } }, { kind: "stubborn", payload: { file } });
    await worker.logged("started", 2);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
    for (const id of ids) {
      expect(await getJob(stage.database, id)).toMatchObject({
        state: "pending",
        attempt: 0,
        recoveries: 0,
        lastError: null,
      });
    }
  });

  it("W11: aborts at once at the second SIGTERM", async () => {
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "3600" } });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("never") } });
    await worker.logged("started");
    worker.signal("SIGTERM");
    await worker.logged("draining");
    expect(worker.isRunning).toBe(true);
    worker.signal("SIGTERM");
    expect((await worker.exited).code).toBe(0);
    expect(await getJob(stage.database, id ?? "")).toMatchObject({ state: "pending", attempt: 0 });
  });

  it("W11: keeps its lease while it drains for longer than the lease", async () => {
    const worker = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "6", JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "60" } });
    const heir = await stage.worker({ env: { JOBQUEUE_LEASE_SECONDS: "6", JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "60" } });
    // Both could run it; whoever does drains, and the other must not recover it.
    const [id] = await stage.enqueue({ kind: "sleep", payload: { ms: 8_000 } });
    const { workerId } = await stage.jobIn("running", id);
    const holder = (await worker.logged("registered"))["workerId"] === workerId ? worker : heir;
    holder.signal("SIGTERM");
    expect((await holder.exited).code).toBe(0);
    expect(await getJob(stage.database, id ?? "")).toMatchObject({
      state: "completed",
      recoveries: 0,
      result: { pid: holder.pid },
    });
  });
});

describe("a worker that is asked to stop while the database is down", () => {
  let server: PostgresServer;
  beforeEach(async () => {
    server = await PostgresServer.create(18);
  });
  afterEach(async () => {
    await server.destroy();
  });

  it("W16: exits 0 by its deadline, and its job is run by another when the database is back", async () => {
    const stage = await Stage.create(server.url());
    try {
      const worker = await stage.worker({ env: { JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "1" } });
      const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
      await worker.logged("started");
      await server.stop("immediate");
      const askedAt = performance.now();
      worker.signal("SIGTERM");
      expect((await worker.exited).code).toBe(0);
      // Drain timeout 1 s, abort grace 1 s, the last flush 4 s, leaving the store 2 s, closing twice 1 s, and a slow machine.
      expect(performance.now() - askedAt).toBeLessThan(15_000);
      await server.start();
      stage.touch("go");
      const heir = await stage.worker({ env: LONG_LEASE });
      expect(await stage.jobIn("completed", id)).toMatchObject({
        attempt: 1,
        recoveries: 1,
        result: { pid: heir.pid },
      });
    } finally {
      await stage.end();
    }
  });
});

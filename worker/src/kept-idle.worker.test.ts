import { drainIdleWorkers, listWorkers, releaseDrainedWorkers } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const POOL = "shop/mailers";
const KEPT_IDLE = "kept idle: its pool shrinks, so it takes no jobs and its pod will be removed";
const WHY = { actor: "operator", reason: "the pool shrinks" };

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  const env = { JOBQUEUE_POOL: POOL, POD_UID: "pod-1" };
  const drained = async (): Promise<string> => {
    const workers = await eventually("an idle worker to be drained", async () => {
      const found = await drainIdleWorkers(stage.database, { pool: POOL, count: 1, ...WHY });
      return found.length > 0 ? found : undefined;
    });
    return workers[0]?.id ?? "";
  };

  it("a worker that is drained stays up and ready, claims nothing, says so in log and metrics, and works again at once when released", async () => {
    const worker = await stage.worker({ env });
    const id = await drained();
    await worker.logged(KEPT_IDLE);
    expect(await worker.metric("jobqueue_worker_drained")).toBe(1);
    expect(await worker.metric("jobqueue_worker_draining")).toBe(0);
    expect((await worker.probe("/readyz")).status).toBe(200);
    const claims = async () => (await worker.metric('jobqueue_worker_claims_total{outcome="empty"}')) ?? 0;
    const before = await claims();
    const [job] = await stage.enqueue({ kind: "quick" });
    const beats = async () => (await listWorkers(stage.database)).find((row) => row.id === id)?.heartbeatAt.getTime();
    const beat = await beats();
    await eventually("two more heartbeats", async () => ((await beats()) ?? 0) - (beat ?? 0) > 2_000 || undefined);
    expect(await claims(), "no claims in vain").toBe(before);
    expect((await stage.jobIn("pending", job)).attempt).toBe(0);
    const releasedAt = Date.now();
    await releaseDrainedWorkers(stage.database, { ids: [id], ...WHY });
    await stage.jobIn("completed", job);
    expect(Date.now() - releasedAt).toBeLessThan(2_000);
    await worker.logged("not kept idle any more: it takes jobs again");
    expect(await worker.metric("jobqueue_worker_drained")).toBe(0);
  });

  it("a drained worker ends at once when its pod is removed", async () => {
    const worker = await stage.worker({ env: { ...env, ...LONG_LEASE } });
    await drained();
    worker.signal("SIGTERM");
    expect(await worker.exited).toMatchObject({ code: 0 });
    await worker.logged("drained");
  });

  it("a worker that is released without a hint learns it with its next heartbeat, and one that lost its lease stays drained", async () => {
    const worker = await stage.worker({ env });
    const id = await drained();
    await worker.logged(KEPT_IDLE);
    await stage.database.query("update jobqueue.workers set lease_until = clock_timestamp() where id = $1", [id]);
    await worker.logged(KEPT_IDLE, 2);
    await stage.database.query("update jobqueue.workers set drain_since = null where pod_uid = 'pod-1'");
    const [job] = await stage.enqueue({ kind: "quick" });
    expect(await stage.jobIn("completed", job)).toMatchObject({ attempt: 1 });
  });
});

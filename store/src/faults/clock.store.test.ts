import { cpSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { recoverStale } from "../jobs/recover-stale.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { registerWorker } from "../workers/register-worker.ts";

const TEN_MINUTES = 600;

describe("a database whose time is not what it was", () => {
  let server: PostgresServer;
  let database: Database;
  beforeAll(async () => {
    server = await PostgresServer.create(18);
  });
  afterAll(async () => server.destroy());
  beforeEach(async () => {
    const { url } = await createTestDatabase(server.url());
    database = new Database({ connection: parseStoreUrl(url), applicationName: "clock", poolSize: 2 });
  });
  afterEach(async () => {
    await database.close();
    await jump(0);
  });

  const oneRunning = async () => {
    const workerId = await registerWorker(database, { bootId: crypto.randomUUID(), leaseSeconds: 30 });
    const { id } = await enqueue(database, { queue: "q", kind: "k" });
    const jobs = await claim(database, { workerId, queues: ["q"], max: 1 });
    return { id, workerId, jobs };
  };
  const jump = async (seconds: number) => {
    await server.stop();
    server.setClock(seconds);
    await server.start();
  };

  it("T1: ten minutes ahead: leases are over, once and for good; jobs are handed on and the old holder is fenced", async () => {
    const { id, workerId, jobs } = await oneRunning();
    await jump(TEN_MINUTES);
    expect(await heartbeat(database, workerId)).toBeUndefined();
    await expect(claim(database, { workerId, queues: ["q"], max: 1 })).rejects.toMatchObject({ code: "lease_lapsed" });
    expect(await recoverStale(database)).toMatchObject([{ id, outcome: "retried" }]);
    const next = await registerWorker(database, { bootId: "next" });
    const [again] = await claim(database, { workerId: next, queues: ["q"], max: 1 });
    expect(await complete(database, jobs)).toEqual([id]);
    expect(await complete(database, again ? [again] : [])).toEqual([]);
  });

  it("T1: ten minutes back: who lives keeps its lease, which is never longer than it and the jump; who is gone can be said to be gone", async () => {
    const { id, workerId, jobs } = await oneRunning();
    await jump(-TEN_MINUTES);
    // A job enqueued before the jump has a run_at that is still to come, but it is pending and waits for no clock.
    await enqueue(database, { queue: "q", kind: "k" });
    const renewed = await heartbeat(database, workerId);
    expect(renewed?.leaseMs).toBe(30_000);
    const [row] = await database.query<{ left: number }>(
      "select extract(epoch from lease_until - clock_timestamp())::float8 as left from jobqueue.workers where id = $1",
      [workerId],
    );
    expect(row?.left).toBeLessThanOrEqual(30);
    expect(await recoverStale(database)).toEqual([]);
    expect(await claim(database, { workerId, queues: ["q"], max: 5 })).toHaveLength(1);
    expect(await complete(database, jobs)).toEqual([]);
    expect((await getJob(database, id))?.state).toBe("completed");
  });

  it("T2: set back to an older copy: what ran then is recovered and runs again, and what was finished since is told as lost", async () => {
    const { id, jobs } = await oneRunning();
    const [data, copy] = [join(server.directory, "data"), join(server.directory, "copy")];
    await server.stop();
    cpSync(data, copy, { recursive: true, preserveTimestamps: true });
    await server.start();
    expect(await complete(database, jobs)).toEqual([]);

    await server.stop();
    rmSync(data, { recursive: true });
    spawnSync("cp", ["-a", copy, data]);
    spawnSync("chown", ["-R", "--reference", server.directory, data]);
    spawnSync("chmod", ["700", data]);
    await server.start();
    expect((await getJob(database, id))?.state).toBe("running");
    await database.query("update jobqueue.workers set lease_until = clock_timestamp()");
    expect(await recoverStale(database)).toMatchObject([{ id, outcome: "retried" }]);
    expect(await complete(database, jobs)).toEqual([id]);
    const next = await registerWorker(database, { bootId: "next" });
    const again = await claim(database, { workerId: next, queues: ["q"], max: 1 });
    expect(Number(again[0]?.leaseToken)).toBeGreaterThan(Number(jobs[0]?.leaseToken));
    expect(await complete(database, again)).toEqual([]);
  });
});

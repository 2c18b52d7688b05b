import { hold, putSchedule } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { PostgresServer } from "@jobqueue/test/support/postgres/server.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import type { WorkerProcess } from "./testing/worker-process.ts";

/** A heartbeat every 3 seconds, and no sweep of its own within the test unless somebody calls for one. */
const IDLE = { JOBQUEUE_LEASE_SECONDS: "9", JOBQUEUE_SWEEP_SECONDS: "10" };
const HEARTBEAT_MS = 3_000;

/** What a busy machine may add to any of the times below, milliseconds. */
const BUSY_MS = 1_500;

const ACT = { actor: "alice", reason: "test" };

describe("an idle worker that hears hints", () => {
  let server: PostgresServer;
  let stage: Stage;
  beforeAll(async () => {
    server = await PostgresServer.create(18, { shared_preload_libraries: "pg_stat_statements" });
  });
  afterAll(async () => {
    await server.destroy();
  });
  beforeEach(async () => {
    stage = await Stage.create(server.url());
    await stage.database.query("create extension pg_stat_statements");
  });
  afterEach(async () => {
    await stage.end();
  });

  it("B7: sends one statement per heartbeat", async () => {
    await idleWorker();
    await stage.database.query("select pg_stat_statements_reset()");
    const beats = 5;
    const statements = await eventually("some heartbeats", async () => {
      const sent = await statementsSent();
      return (sent.get("heartbeat") ?? 0) >= beats ? sent : undefined;
    });
    const others = [...statements].filter(([name]) => name !== "heartbeat");
    // One may be a proof that hints are still heard, of which there are two in the first half minute, one in five afterwards.
    const count = others.reduce((sum, [, calls]) => sum + calls, 0);
    expect({ others, few: count <= 1 }).toEqual({ others, few: true });
  });

  it("starts scheduled jobs, retries and jobs behind a hold when their time comes, though no hint tells of it", async () => {
    await idleWorker();
    const held = "select clock_timestamp() + interval '7.3 seconds' as until";
    const [row] = await stage.database.query<{ until: Date }>(held);
    const until = row?.until as Date;
    // Its own hint is over long before the jobs come.
    await hold(stage.database, { queue: "low", name: "short", ...ACT, source: "test", until });
    for (const seconds of [4.5, 5.6, 6.1, 7.8, 9.9, 11.2])
      await enqueueSilently("default", `"delay_seconds": ${seconds}`);
    await enqueueSilently("low", `"tag": "held"`);
    const [retried] = await enqueueSilently(
      "default",
      `"retry": {"intervals_seconds": [4.4]}, "tag": "retried"`,
      "throw",
    );
    const late = await eventually("all of them to run", async () => {
      const rows = await stage.database.query<{ lateMs: number }>(
        `select extract(epoch from claimed_at - greatest(run_at, case when tag = 'held' then $1::timestamptz end))::float8 * 1000 as "lateMs"
         from jobqueue.job_history where tag is distinct from 'retried'`,
        [until],
      );
      return rows.length === 7 ? rows : undefined;
    });
    for (const { lateMs } of late) expect(lateMs).toBeLessThan(1_000 + BUSY_MS);
    await stage.jobIn("dead", retried?.id);
    const [again] = await stage.database.query<{ lateMs: number }>(
      `select extract(epoch from claimed_at - run_at)::float8 * 1000 as "lateMs" from jobqueue.job_history where tag = 'retried'`,
    );
    expect(again?.lateMs).toBeLessThan(1_000 + BUSY_MS);
  });

  it("finds a job that was enqueued without a hint with its next heartbeat", async () => {
    await idleWorker();
    const [silent] = await enqueueSilently("default", "");
    await stage.jobIn("completed", silent?.id);
    const [row] = await stage.database.query<{ lateMs: number }>(
      `select extract(epoch from claimed_at - created_at)::float8 * 1000 as "lateMs" from jobqueue.job_history`,
    );
    expect(row?.lateMs).toBeLessThan(HEARTBEAT_MS + BUSY_MS);
  });

  it("G8, G14: fires a schedule that is put meanwhile in time, and recovers the jobs of a worker that dies", async () => {
    const worker = await idleWorker();
    await putSchedule(stage.database, { name: "often", cron: "*/2 * * * * *", queue: "default", kind: "quick" }, ACT);
    const ticks = await eventually("some ticks", async () => {
      const rows = await stage.database.query<{ lateMs: number }>(
        `select extract(epoch from claimed_at - (labels ->> 'tick')::timestamptz)::float8 * 1000 as "lateMs"
         from jobqueue.job_history where unique_key like 'schedule/often/%'`,
      );
      return rows.length >= 4 ? rows : undefined;
    });
    for (const { lateMs } of ticks) expect(lateMs).toBeLessThan(1_000 + BUSY_MS);

    const other = await stage.worker({ queues: "other", env: IDLE });
    const [id] = await stage.enqueue({ queue: "other", kind: "wait", payload: { file: stage.path("never") } });
    await other.logged("started");
    await other.kill();
    await worker.logged("recovered stale jobs of workers that are no more");
    const [row] = await stage.database.query<{ lateMs: number }>(
      `select extract(epoch from (last_recovery ->> 'at')::timestamptz - w.lease_until)::float8 * 1000 as "lateMs"
       from jobqueue.jobs j join jobqueue.workers w on w.id = (last_recovery ->> 'worker')::bigint where j.id = $1`,
      [id],
    );
    expect(row?.lateMs).toBeLessThan(10_000 + 5_000);
  });

  /** A worker that has been idle for so long that it only listens. */
  async function idleWorker(): Promise<WorkerProcess> {
    const worker = await stage.worker({ queues: "default,low", env: IDLE });
    await eventually("it to be idle", async () => ((await statementsSent()).get("heartbeat") ?? 0) >= 4 || undefined);
    return worker;
  }

  /** Enqueues as a transaction of the application does that sends no hint. */
  async function enqueueSilently(queue: string, options: string, kind = "quick"): Promise<{ id: string }[]> {
    const attempts = kind === "throw" ? `"max_attempts": 2, ` : "";
    const all = `{${attempts}${options}}`.replace(", }", "}");
    return stage.database.query<{ id: string }>(`select id from jobqueue.enqueue($1, $2, '{}', $3::jsonb)`, [
      queue,
      kind,
      all,
    ]);
  }

  /** Statements of the worker so far, by the function that they call or what they begin with. */
  async function statementsSent(): Promise<Map<string, number>> {
    const rows = await stage.database.query<{ query: string; calls: number }>(
      `select s.query, s.calls::int as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = current_database() and s.query not like '%pg_stat_statements%'`,
    );
    const byName = new Map<string, number>();
    for (const { query, calls } of rows) {
      const name = /"jobqueue"\.(\w+)\(/.exec(query)?.[1] ?? query.slice(0, 40);
      byName.set(name, (byName.get(name) ?? 0) + calls);
    }
    return byName;
  }
});

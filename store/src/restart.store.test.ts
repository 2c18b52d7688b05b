import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POSTGRES_MAJORS, PostgresServer } from "../../test/support/postgres/server.ts";
import { Database } from "./connection/database.ts";
import { parseStoreUrl } from "./connection/settings.ts";
import { claim } from "./jobs/claim.ts";
import { complete } from "./jobs/complete.ts";
import { enqueueMany } from "./jobs/enqueue.ts";
import { migrate } from "./migrations/migrate.ts";
import { hold } from "./queues/hold.ts";
import { listHolds } from "./queues/list-holds.ts";
import { StoreError } from "./errors.ts";
import { registerWorker } from "./workers/register-worker.ts";

/** Between two tries while the server is away: short, so that some meet it in each phase of its recovery. */
const RETRY_MS = 5;

describe.each(POSTGRES_MAJORS)("P1: PostgreSQL %i crashes", (major) => {
  let server: PostgresServer;
  let database: Database;
  beforeAll(async () => {
    server = await PostgresServer.create(major, { fsync: "on", full_page_writes: "on" });
    database = new Database({
      connection: parseStoreUrl(server.url()),
      applicationName: "restart test",
      connectTimeoutMs: 2_000,
    });
    await migrate(database);
  });
  afterAll(async () => {
    await database.close();
    await server.destroy();
  });

  /** Repeats what fails because the server is away, as every caller must. */
  async function insist<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof StoreError) || error.retry !== "reconnect") throw error;
        await pause(RETRY_MS);
      }
    }
  }

  it("G1: every acknowledged enqueue survives, G4: tokens go on rising, and no acknowledged finish is undone", async () => {
    const worker = await registerWorker(database, { bootId: "crash", leaseSeconds: 3600 });
    const acknowledged: string[] = [];
    const finished: string[] = [];
    const lost: string[] = [];
    const tokens: bigint[] = [];
    const state = { stop: false };
    const outages: StoreError[] = [];
    const until = async (work: () => Promise<void>) => {
      while (!state.stop) {
        try {
          await work();
        } catch (error) {
          if (!(error instanceof StoreError)) throw error;
          outages.push(error);
          await pause(RETRY_MS);
        }
      }
    };
    const producers = [1, 2, 3].map(async () =>
      until(async () => {
        const jobs = await enqueueMany(
          database,
          Array.from({ length: 3 }, () => ({ queue: "crash", kind: "k" })),
        );
        acknowledged.push(...jobs.map(({ id }) => id));
      }),
    );
    const consumers = [1, 2].map(async () =>
      until(async () => {
        const jobs = await claim(database, { workerId: worker, queues: ["crash"], max: 4 });
        if (jobs[0]) tokens.push(BigInt(jobs[0].leaseToken));
        lost.push(...(await complete(database, jobs)));
        finished.push(...jobs.map(({ id }) => id));
      }),
    );
    const atLeast = async (count: number) => {
      while (acknowledged.length < count) await pause(1);
    };
    await atLeast(150);
    for (let round = 0; round < 2; round += 1) {
      await server.restart("immediate");
      await atLeast(acknowledged.length + 100);
    }
    state.stop = true;
    await Promise.all([...producers, ...consumers]);

    expect(lost).toEqual([]);
    expect(outages.filter((error) => error.retry !== "reconnect")).toEqual([]);
    const rows = await database.query<{ id: string; state: string }>("select id, state from jobqueue.v_jobs");
    const states = new Map(rows.map((row) => [row.id, row.state]));
    expect(acknowledged.filter((id) => !states.has(id))).toEqual([]);
    expect(finished.filter((id) => states.get(id) !== "completed")).toEqual([]);
    expect(states.size).toBe(rows.length);
    expect(new Set(tokens).size, "no token was handed out twice").toBe(tokens.length);
    const [highest] = await database.query<{ token: string }>("select max(lease_token) as token from jobqueue.v_jobs");
    await enqueueMany(database, [{ queue: "after", kind: "k" }]);
    const [next] = await claim(database, { workerId: worker, queues: ["after"], max: 1 });
    expect(BigInt(next?.leaseToken ?? 0)).toBeGreaterThan(BigInt(highest?.token ?? 0));
  });

  it("G11: a hold survives", async () => {
    const workerId = await registerWorker(database, { bootId: "hold", leaseSeconds: 3600 });
    await enqueueMany(database, [{ queue: "held", kind: "k" }]);
    await hold(database, { queue: "held", name: "spec", reason: "paused in Git", actor: "operator", source: "spec" });
    await server.restart("immediate");
    expect(await insist(async () => claim(database, { workerId, queues: ["held"], max: 1 }))).toEqual([]);
    expect(await listHolds(database, "held")).toMatchObject([{ name: "spec", reason: "paused in Git" }]);
  });
});

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { putSchedule } from "../schedules/put-schedule.ts";
import { configureQueue } from "./configure-queue.ts";
import { deleteQueue } from "./delete-queue.ts";
import { ensureQueue } from "./ensure-queue.ts";
import { hold } from "./hold.ts";

const act = { actor: "ana", reason: "retired" };

describe.each(Object.entries(inject("postgres")))("delete_queue, %s", (_server, adminUrl) => {
  let store: StoreUnderTest;

  beforeAll(async () => {
    store = await openStore(adminUrl);
  });

  afterAll(async () => {
    await store.close();
  });

  const left = async (queue: string): Promise<number> => {
    const [row] = await store.database.query<{ count: number }>(
      `select (select count(*) from jobqueue.jobs where queue = $1) + (select count(*) from jobqueue.job_history where queue = $1)
         + (select count(*) from jobqueue.queues where name = $1) + (select count(*) from jobqueue.holds where queue = $1)
         + (select count(*) from jobqueue.queue_limits where queue = $1)
         + (select count(*) from jobqueue.schedules where queue = $1) as count`,
      [queue],
    );
    return Number(row?.count);
  };
  const audits = async (queue: string): Promise<number> => {
    const [row] = await store.database.query<{ count: number }>(
      "select count(*)::int as count from jobqueue.audit_events where action = 'delete_queue' and target = $1",
      [queue],
    );
    return row?.count ?? 0;
  };

  it("takes everything of the queue, and nothing of another, in one transaction with one audit event (G19)", async () => {
    const { database } = store;
    for (const queue of ["doomed", "other"]) {
      await enqueue(database, { queue, kind: "x", payload: {} });
      await configureQueue(database, queue, { maxRunning: 1 }, act);
      await hold(database, { queue, name: "h", ...act, source: "cli" });
      await putSchedule(database, { name: `${queue}/s`, queue, kind: "x", payload: {}, cron: "0 0 * * *" }, act);
    }
    expect(await deleteQueue(database, "doomed", { ...act, onlyIfEmpty: false })).toBe("deleted");
    expect(await left("doomed")).toBe(0);
    expect(await left("other")).toBe(5);
    expect(await audits("doomed")).toBe(1);
    expect(await deleteQueue(database, "doomed", { ...act, onlyIfEmpty: false })).toBe("not_found");
    expect(await audits("doomed")).toBe(1);
  });

  it("refuses while a job runs, and leaves a queue that is not empty when it may only take an empty one", async () => {
    const { database } = store;
    const workerId = await registerWorker(database, { bootId: crypto.randomUUID(), queues: ["busy"] });
    await enqueue(database, { queue: "busy", kind: "x", payload: {} });
    expect(await deleteQueue(database, "busy", { ...act, onlyIfEmpty: true })).toBe("not_empty");
    const [job] = await claim(database, { workerId, queues: ["busy"], max: 1 });
    expect(await deleteQueue(database, "busy", { ...act, onlyIfEmpty: false })).toBe("running");
    expect(await left("busy")).toBe(2);
    if (job) await complete(database, [{ id: job.id, leaseToken: job.leaseToken }]);
    expect(await deleteQueue(database, "busy", { ...act, onlyIfEmpty: true })).toBe("deleted");
    expect(await left("busy")).toBe(0);
  });

  it("deletes page by page", async () => {
    const { database } = store;
    await ensureQueue(database, "many");
    await database.query("select jobqueue.enqueue('many', 'x') from generate_series(1, 25)");
    const page = "select jobqueue.delete_queue('many', 'ana', 'retired', false, 10) as outcome";
    const outcomes: string[] = [];
    for (let call = 0; call < 3; call += 1) {
      const [row] = await database.query<{ outcome: string }>(page);
      outcomes.push(row?.outcome ?? "");
    }
    expect(outcomes).toEqual(["more", "more", "deleted"]);
    expect(await left("many")).toBe(0);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { recoverStale } from "../jobs/recover-stale.ts";
import { hold } from "../queues/hold.ts";
import { putSchedule } from "../schedules/put-schedule.ts";
import { betweenMinutes } from "../testing/between-minutes.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { dueWork } from "./due-work.ts";
import { heartbeat } from "./heartbeat.ts";
import { registerWorker } from "./register-worker.ts";

const ACT = { actor: "alice", reason: "test" };

forEachPostgres(({ adminUrl }) => {
  describe("what there is to do", () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await openStore(adminUrl);
    });
    afterAll(async () => store.close());

    const workerOf = async (...queues: string[]) =>
      registerWorker(store.database, { bootId: crypto.randomUUID(), queues });
    const inSeconds = async (seconds: number): Promise<Date> => {
      const [row] = await store.database.query<{ at: Date }>(
        "select clock_timestamp() + make_interval(secs => $1) as at",
        [seconds],
      );
      return row?.at as Date;
    };

    it("is nothing in an empty store, and a heartbeat says so only when asked", async () => {
      const worker = await workerOf("a");
      const nothing = { workInMs: undefined, scheduleInMs: undefined, sweep: false };
      expect(await dueWork(store.database, worker)).toEqual(nothing);
      expect((await heartbeat(store.database, worker))?.due).toBeUndefined();
      expect((await heartbeat(store.database, worker, { due: true }))?.due).toEqual(nothing);
    });

    it("is a pending job of the worker's queues now, and not one of others", async () => {
      const [mine, other] = [await workerOf("x", "mine"), await workerOf("x", "y")];
      await enqueue(store.database, { queue: "mine", kind: "k" });
      expect((await dueWork(store.database, mine)).workInMs).toBe(0);
      expect((await dueWork(store.database, other)).workInMs).toBeUndefined();
    });

    it("is a scheduled job when its time comes, the earliest of the worker's queues", async () => {
      const worker = await workerOf("later");
      await enqueue(store.database, { queue: "later", kind: "k", runAt: await inSeconds(60) });
      await enqueue(store.database, { queue: "later", kind: "k", runAt: await inSeconds(30) });
      await enqueue(store.database, { queue: "elsewhere", kind: "k", runAt: await inSeconds(10) });
      const { workInMs } = await dueWork(store.database, worker);
      expect(workInMs).toBeGreaterThan(20_000);
      expect(workInMs).toBeLessThanOrEqual(30_000);
    });

    it("behind a hold is nothing, or comes when the hold ends", async () => {
      const worker = await workerOf("held");
      await enqueue(store.database, { queue: "held", kind: "k" });
      await hold(store.database, { queue: "held", name: "h", ...ACT, source: "a", until: await inSeconds(40) });
      const { workInMs } = await dueWork(store.database, worker);
      expect(workInMs).toBeGreaterThan(30_000);
      expect(workInMs).toBeLessThanOrEqual(40_000);
      await hold(store.database, { queue: "held", name: "i", ...ACT, source: "b" });
      expect((await dueWork(store.database, worker)).workInMs).toBeUndefined();
    });

    it("is the next tick of a schedule", async () => {
      const worker = await workerOf("a");
      await betweenMinutes();
      await putSchedule(store.database, { name: "minutely", cron: "* * * * *", queue: "a", kind: "k" }, ACT);
      const { scheduleInMs } = await dueWork(store.database, worker);
      expect(scheduleInMs).toBeGreaterThanOrEqual(0);
      expect(scheduleInMs).toBeLessThanOrEqual(60_000);
    });

    it("G8: calls for a sweep as soon as a lease with jobs has lapsed, until they are recovered", async () => {
      const [worker, lost] = [await workerOf("a"), await workerOf("sweep")];
      await enqueue(store.database, { queue: "sweep", kind: "k" });
      await claim(store.database, { workerId: lost, queues: ["sweep"], max: 1 });
      expect((await dueWork(store.database, worker)).sweep).toBe(false);
      await store.lapse(lost);
      expect((await dueWork(store.database, worker)).sweep).toBe(true);
      await recoverStale(store.database);
      expect((await dueWork(store.database, worker)).sweep).toBe(false);
    });

    it("changes nothing, whoever asks", async () => {
      expect(await dueWork(store.database, "999999")).toMatchObject({ workInMs: undefined });
    });
  });
});

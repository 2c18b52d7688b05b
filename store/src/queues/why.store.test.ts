import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { cancelJob } from "../jobs/act-on-job.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { fail } from "../jobs/fail.ts";
import { recoverStale } from "../jobs/recover-stale.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { configureQueue } from "./configure-queue.ts";
import { hold } from "./hold.ts";
import { whyJob, whyQueue } from "./why.ts";

const act = { actor: "alice", reason: "r" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const add = async (more: object = {}): Promise<string> =>
    (await enqueue(store.database, { queue: "q", kind: "k", ...more })).id;
  const serve = async (facts: object = {}): Promise<string> =>
    registerWorker(store.database, { bootId: crypto.randomUUID(), queues: ["first", "q"], concurrency: 2, ...facts });
  const queueCodes = async (): Promise<string[]> => (await whyQueue(store.database, "q")).map(({ code }) => code);
  const jobCodes = async (id: string): Promise<string[]> => (await whyJob(store.database, id)).map(({ code }) => code);

  it("says nothing when nothing stands in the way", async () => {
    await serve();
    const id = await add();
    expect(await queueCodes()).toEqual(["nothing"]);
    expect(await jobCodes(id)).toEqual(["position"]);
    expect(await whyJob(store.database, await add())).toMatchObject([{ detail: { ahead: 1 } }]);
  });

  describe("a queue", () => {
    it.each([
      ["unknown_queue", async () => undefined],
      ["no_worker", async () => add()],
      [
        "no_healthy_worker",
        async () => [await add(), await heartbeat(store.database, await serve(), { renew: false })],
      ],
      [
        "stopped",
        async () => [await serve(), await add(), await configureQueue(store.database, "q", { maxRunning: 0 }, act)],
      ],
      [
        "max_running",
        async () => {
          await configureQueue(store.database, "q", { maxRunning: 1 }, act);
          await add();
          await add();
          await claim(store.database, { workerId: await serve(), queues: ["q"], max: 5 });
        },
      ],
      [
        "rate",
        async () => {
          await configureQueue(store.database, "q", { rate: { count: 1, perSeconds: 3600 } }, act);
          await add();
          await add();
          await claim(store.database, { workerId: await serve(), queues: ["q"], max: 5 });
        },
      ],
      ["slots_busy", async () => [await add(), await heartbeat(store.database, await serve(), { slotsBusy: 2 })]],
      ["earlier_queue", async () => [await serve(), await add(), await add({ queue: "first" })]],
      ["no_handler", async () => [await serve({ kinds: ["other"] }), await add()]],
      ["nothing_pending", async () => [await serve(), await add({ delaySeconds: 60 })]],
    ])("%s", async (code, make) => {
      await make();
      expect(await queueCodes()).toEqual([code]);
    });

    it("names every hold that is in force, those of * first, before anything else", async () => {
      await add();
      await hold(store.database, { queue: "q", name: "mine", reason: "SMTP down", actor: "ana", source: "cli" });
      await hold(store.database, { queue: "*", name: "upgrade", reason: "new disks", actor: "bob", source: "cli" });
      const reasons = await whyQueue(store.database, "q");
      expect(reasons.map(({ code, detail }) => [code, detail["name"] ?? null])).toEqual([
        ["held", "upgrade"],
        ["held", "mine"],
        ["no_worker", null],
      ]);
      expect(reasons[1]?.message).toContain("It is held by ana (cli): SMTP down. Release the hold mine");
    });

    it("says which concurrency key is full, and tells the jobs of that key only", async () => {
      const workerId = await serve();
      await configureQueue(store.database, "q", { maxRunningPerKey: 1 }, act);
      await add({ concurrencyKey: "a" });
      await claim(store.database, { workerId, queues: ["q"], max: 5 });
      const [full, free] = [await add({ concurrencyKey: "a" }), await add({ concurrencyKey: "b" })];
      expect(await queueCodes()).toEqual(["max_running_per_key"]);
      expect(await jobCodes(full)).toEqual(["max_running_per_key", "position"]);
      expect(await jobCodes(free)).toEqual(["position"]);
    });
  });

  describe("a job", () => {
    const run = async () => {
      const workerId = await serve();
      await add();
      const [job] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
      if (job === undefined) throw new Error("nothing to claim");
      return { ...job, workerId };
    };
    it.each([
      ["not_found", async () => "99999999"],
      ["running", async () => (await run()).id],
      [
        "stale",
        async () => {
          const job = await run();
          await store.lapse(job.workerId);
          return job.id;
        },
      ],
      [
        "cancel_requested",
        async () => {
          const job = await run();
          await cancelJob(store.database, job.id, act);
          return job.id;
        },
      ],
      [
        "held_by_recovery",
        async () => {
          const job = await run();
          await store.lapse(job.workerId);
          await recoverStale(store.database, { policy: "hold" });
          return job.id;
        },
      ],
      ["depends_on", async () => add({ dependsOn: [await add()] })],
      [
        "completed",
        async () => {
          const job = await run();
          await complete(store.database, [job]);
          return job.id;
        },
      ],
      [
        "cancelled",
        async () => {
          const id = await add();
          await cancelJob(store.database, id, act);
          return id;
        },
      ],
      [
        "dead",
        async () => {
          const job = await run();
          await fail(store.database, [{ ...job, error: "no", permanent: true }]);
          return job.id;
        },
      ],
      [
        "failed",
        async () => {
          const job = await run();
          await fail(store.database, [{ ...job, error: "no" }]);
          return job.id;
        },
      ],
    ])("%s", async (code, make) => {
      expect(await jobCodes(await make())).toEqual([code]);
    });

    it("that is scheduled hears at once what will stand in its way when its time has come", async () => {
      expect(await jobCodes(await add({ delaySeconds: 60 }))).toEqual(["scheduled", "no_worker"]);
    });
  });
});

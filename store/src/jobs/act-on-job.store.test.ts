import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { hintChannel } from "../connection/queue-hints.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { type Act, cancelJob, deleteJob, retryJob } from "./act-on-job.ts";
import { claim, type ClaimedJob } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue, type NewJob } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { getJob } from "./read-jobs.ts";
import { recoverStale } from "./recover-stale.ts";

const act: Act = { actor: "alice", reason: "it was the disk" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let worker: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.clear();
    worker = await store.worker();
  });

  const queue = "q";
  const add = async (job: Partial<NewJob> = {}): Promise<string> =>
    (await enqueue(store.database, { queue, kind: "k", payload: { secret: "s3cret" }, ...job })).id;
  async function run(job: Partial<NewJob> = {}): Promise<ClaimedJob> {
    await add(job);
    return claimOne();
  }
  async function claimOne(by = worker): Promise<ClaimedJob> {
    const [claimed] = await claim(store.database, { workerId: by, queues: [queue], max: 1 });
    if (claimed === undefined) throw new Error("nothing to claim");
    return claimed;
  }
  async function failed(): Promise<string> {
    const job = await run();
    await fail(store.database, [{ ...job, error: "disk full" }]);
    return job.id;
  }
  async function dead(job: Partial<NewJob> = {}): Promise<string> {
    const claimed = await run({ maxAttempts: 1, ...job });
    await fail(store.database, [{ ...claimed, error: "disk full" }]);
    return claimed.id;
  }
  const completed = async (): Promise<string> => {
    const job = await run();
    await complete(store.database, [job]);
    return job.id;
  };
  const cancelled = async (): Promise<string> => {
    const id = await add();
    await cancelJob(store.database, id, act);
    return id;
  };
  const audit = async () =>
    store.database.query<{ action: string; target: string; actor: string; reason: string; before: object | null }>(
      "select action, target, actor, reason, before from jobqueue.audit_events order by id",
    );
  const held = async (): Promise<string> => {
    const job = await run();
    await store.lapse(worker);
    await recoverStale(store.database, { policy: "hold" });
    await store.database.query("delete from jobqueue.audit_events");
    return job.id;
  };

  describe("retry", () => {
    it("G6: of a dead job opens a new generation with fresh attempts, and keeps error and history", async () => {
      const id = await dead({ priority: 3, tag: "t", labels: { a: "b" }, uniqueKey: "u", timeoutSeconds: 9 });
      expect(await retryJob(store.database, id, act)).toBe("retried");
      expect(await getJob(store.database, id)).toMatchObject({
        state: "pending",
        attempt: 0,
        recoveries: 0,
        lastError: "disk full",
        workerId: null,
        finishedAt: null,
        priority: 3,
        tag: "t",
        labels: { a: "b" },
        uniqueKey: "u",
        timeoutMs: 9000,
        payload: { secret: "s3cret" },
      });
      const history = await store.database.query(
        "select generation, state, superseded from jobqueue.job_history where id = $1",
        [id],
      );
      expect(history).toEqual([{ generation: 1, state: 12, superseded: true }]);
      const again = await claimOne();
      expect(again).toMatchObject({ id, attempt: 1 });
      await complete(store.database, [again]);
      const ended = await store.database.query(
        "select generation, state from jobqueue.job_history where id = $1 order by generation",
        [id],
      );
      expect(ended).toEqual([
        { generation: 1, state: 12 },
        { generation: 2, state: 10 },
      ]);
      expect(await retryJob(store.database, id, act)).toBe("completed");
    });

    it("of a failed job starts over at once: attempts are reset, the error stays", async () => {
      const id = await failed();
      expect(await retryJob(store.database, id, act)).toBe("retried");
      expect(await getJob(store.database, id)).toMatchObject({ state: "pending", attempt: 0, lastError: "disk full" });
      expect(await claimOne()).toMatchObject({ id, attempt: 1 });
    });

    it("releases what recovery held", async () => {
      const id = await held();
      expect(await retryJob(store.database, id, act)).toBe("retried");
      expect(await getJob(store.database, id)).toMatchObject({ state: "pending", recoveries: 0 });
    });

    it("W4, G5: what the worker that lost the job says after the retry is void, whatever attempt it was", async () => {
      const lost = await run({ maxAttempts: 1 });
      await store.lapse(worker);
      await recoverStale(store.database, { policy: "fail" });
      expect(await getJob(store.database, lost.id)).toMatchObject({ state: "dead", deadReason: "worker_lost" });
      await retryJob(store.database, lost.id, act);
      const current = await claimOne(await store.worker());
      expect(current).toMatchObject({ id: lost.id, attempt: lost.attempt });
      expect(await complete(store.database, [lost])).toEqual([lost.id]);
      expect(await fail(store.database, [{ ...lost, error: "zombie" }])).toEqual([lost.id]);
      expect(await getJob(store.database, lost.id)).toMatchObject({
        state: "running",
        leaseToken: current.leaseToken,
      });
      expect(Number(current.leaseToken)).toBeGreaterThan(Number(lost.leaseToken));
    });

    it("is refused while another live job has its unique key, and possible again when that one is over", async () => {
      const id = await dead({ uniqueKey: "once" });
      const other = await add({ uniqueKey: "once" });
      expect(await retryJob(store.database, id, act)).toBe("duplicate");
      expect(await getJob(store.database, id)).toMatchObject({ state: "dead" });
      expect(await audit()).toEqual([]);
      await deleteJob(store.database, other, act);
      expect(await retryJob(store.database, id, act)).toBe("retried");
    });

    it("D2, G19: of one job by many at once retries it once, with one audit event", async () => {
      const id = await dead();
      const callers = [store.connect(), store.connect(), store.connect(), store.connect()];
      const answers = await Promise.all(callers.map(async (database) => retryJob(database, id, act)));
      expect(answers.toSorted()).toEqual(["pending", "pending", "pending", "retried"]);
      expect(await audit()).toHaveLength(1);
    });
  });

  describe("cancel", () => {
    it.each([
      ["pending", async () => add()],
      ["scheduled", async () => add({ delaySeconds: 60 })],
      ["failed", failed],
      ["deferred", held],
    ])("of a job that is %s ends it at once", async (_, make) => {
      const id = await make();
      expect(await cancelJob(store.database, id, act)).toBe("cancelled");
      expect(await getJob(store.database, id)).toMatchObject({ state: "cancelled", workerId: null });
      expect(await cancelJob(store.database, id, act)).toBe("cancelled");
      expect(await audit()).toHaveLength(1);
    });

    it("of a running job asks its worker, by a hint and by its heartbeat, and asks once", async () => {
      const job = await run();
      const hints: string[] = [];
      const listener = new Client({ connectionString: store.url });
      await listener.connect();
      try {
        await listener.query(`listen ${hintChannel("jobqueue")}`);
        listener.on("notification", ({ payload }) => hints.push(payload ?? ""));
        expect(await cancelJob(store.database, job.id, act)).toBe("requested");
        expect(await cancelJob(store.database, job.id, act)).toBe("requested");
        await eventually("the hint", async () => hints.find((hint) => hint.startsWith("worker:")));
        expect(hints.filter((hint) => hint.startsWith("worker:"))).toEqual([`worker:${worker}`]);
      } finally {
        await listener.end();
      }
      expect((await heartbeat(store.database, worker))?.cancelIds).toEqual([job.id]);
      expect(await getJob(store.database, job.id)).toMatchObject({ state: "running" });
      expect(await audit()).toHaveLength(1);
    });

    it("a running job that completes first is completed, and its request is forgotten", async () => {
      const job = await run();
      await cancelJob(store.database, job.id, act);
      expect(await complete(store.database, [job])).toEqual([]);
      expect(await getJob(store.database, job.id)).toMatchObject({ state: "completed" });
      expect((await heartbeat(store.database, worker))?.cancelIds).toEqual([]);
    });

    it("a cancelled job whose worker is lost ends cancelled, not retried", async () => {
      const job = await run();
      await cancelJob(store.database, job.id, act);
      await store.lapse(worker);
      expect(await recoverStale(store.database)).toMatchObject([{ id: job.id, outcome: "cancelled" }]);
      expect(await getJob(store.database, job.id)).toMatchObject({ state: "cancelled", recoveries: 1 });
    });
  });

  describe("delete", () => {
    it("of a job that has not started leaves nothing but the audit event", async () => {
      const id = await add({ uniqueKey: "free again" });
      expect(await deleteJob(store.database, id, act)).toBe("deleted");
      expect(await getJob(store.database, id)).toBeUndefined();
      expect(await deleteJob(store.database, id, act)).toBe("not_found");
      expect(await audit()).toEqual([
        {
          action: "delete",
          target: `jobs/${id}`,
          ...act,
          before: {
            state: "pending",
            queue,
            kind: "k",
            generation: 1,
            attempt: 0,
            recoveries: 0,
            unique_key: "free again",
          },
        },
      ]);
    });
  });

  it.each([
    ["retry", "pending", retryJob, async () => add()],
    ["retry", "scheduled", retryJob, async () => add({ delaySeconds: 60 })],
    ["retry", "running", retryJob, async () => (await run()).id],
    ["retry", "completed", retryJob, completed],
    ["retry", "cancelled", retryJob, cancelled],
    ["cancel", "completed", cancelJob, completed],
    ["cancel", "dead", cancelJob, async () => dead()],
    ["delete", "running", deleteJob, async () => (await run()).id],
    ["delete", "completed", deleteJob, completed],
    ["delete", "cancelled", deleteJob, cancelled],
    ["delete", "dead", deleteJob, async () => dead()],
  ])("%s of a job that is %s answers just that, changes nothing and leaves no trace", async (_, state, doIt, make) => {
    const id = await make();
    await store.database.query("delete from jobqueue.audit_events");
    const before = await getJob(store.database, id);
    expect(await doIt(store.database, id, act)).toBe(state);
    expect(await getJob(store.database, id)).toEqual(before);
    expect(await audit()).toEqual([]);
  });

  it.each(Object.entries({ retryJob, cancelJob, deleteJob }))(
    "%s: an id that nobody has is not found",
    async (_, doIt) => {
      expect(await doIt(store.database, "987654321", act)).toBe("not_found");
      await expect(doIt(store.database, "9'; drop table jobs", act)).rejects.toThrow("is no id of a job");
      await expect(doIt(store.database, "1", { actor: "", reason: "r" })).rejects.toThrow("actor must have 1 to 256");
      await expect(doIt(store.database, "1", { actor: "a", reason: "" })).rejects.toThrow("reason must have 1 to 1024");
    },
  );

  it("G19: an act and its audit event commit together or not at all, and no payload or error gets into it", async () => {
    const id = await dead();
    const undone = store.database.transaction(async (session) => {
      expect(await retryJob(session, id, act)).toBe("retried");
      throw new Error("no");
    });
    await expect(undone).rejects.toThrow("no");
    expect(await getJob(store.database, id)).toMatchObject({ state: "dead" });
    expect(await audit()).toEqual([]);
    await retryJob(store.database, id, act);
    const [event] = await store.database.query<{ event: string }>(
      "select to_jsonb(e)::text as event from jobqueue.audit_events e",
    );
    expect(event?.event).not.toMatch(/s3cret|disk full/);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { configureStore } from "../maintenance/configure-store.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { configureQueue } from "./configure-queue.ts";

const act = { actor: "alice", reason: "as agreed" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const policy = async (name = "q") => {
    const [row] = await store.database.query("select * from jobqueue.v_queues where name = $1", [name]);
    return row;
  };
  const audit = async () =>
    store.database.query<{ action: string; target: string; before: object; after: object }>(
      "select action, target, before, after from jobqueue.audit_events order by id",
    );

  it("sets what is named, leaves the rest, and puts back a default for null", async () => {
    await configureQueue(
      store.database,
      "q",
      {
        maxAttempts: 3,
        timeoutSeconds: 1.5,
        resultTtlSeconds: 0,
        retry: { intervalsSeconds: [1, 5] },
        onWorkerLoss: "hold",
        maxRecoveries: 7,
        maxRunning: 4,
        maxRunningPerKey: 2,
        fair: true,
        rate: { count: 10 },
      },
      act,
    );
    const all = {
      max_attempts: 3,
      timeout_ms: 1500,
      result_ttl_seconds: 0,
      retry: { intervals_seconds: [1, 5] },
      on_worker_loss: "hold",
      max_recoveries: 7,
      max_running: 4,
      max_running_per_key: 2,
      fair: true,
      rate_count: 10,
      rate_period_ms: 1000,
      held: false,
    };
    expect(await policy()).toMatchObject(all);
    await configureQueue(store.database, "q", { maxAttempts: 9, rate: { count: 5, perSeconds: 60 } }, act);
    expect(await policy()).toMatchObject({ ...all, max_attempts: 9, rate_count: 5, rate_period_ms: 60_000 });
    await configureQueue(
      store.database,
      "q",
      { maxAttempts: null, retry: null, onWorkerLoss: null, maxRecoveries: null, maxRunning: null, fair: null },
      act,
    );
    expect(await policy()).toMatchObject({
      max_attempts: null,
      retry: null,
      on_worker_loss: "retry",
      max_recoveries: 3,
      max_running: null,
      fair: false,
      max_running_per_key: 2,
      rate_count: 5,
    });
    await configureQueue(store.database, "q", { maxRunningPerKey: null, rate: null }, act);
    expect(await store.database.query("select * from jobqueue.queue_limits")).toEqual([]);
  });

  it("G19: writes one audit event with before and after, and nothing at all when nothing changes", async () => {
    expect(await configureQueue(store.database, "q", { maxAttempts: 3 }, act)).toBe(true);
    expect(await configureQueue(store.database, "q", { maxAttempts: 3 }, act)).toBe(false);
    expect(await configureQueue(store.database, "q", {}, act)).toBe(false);
    expect(await audit()).toMatchObject([
      { action: "configure_queue", target: "q", before: { max_attempts: null }, after: { max_attempts: 3 } },
    ]);
    const written = await store.connect().transaction(async (session) => {
      await configureQueue(session, "q", { maxAttempts: 3, fair: false }, act);
      return session.query("select pg_current_xact_id_if_assigned() as id");
    });
    expect(written).toEqual([{ id: null }]);
  });

  it("a limit counts what runs already, and not what runs elsewhere", async () => {
    const workerId = await store.worker();
    await enqueueMany(
      store.database,
      ["q", "q", "other"].map((queue) => ({ queue, kind: "k" })),
    );
    await claim(store.database, { workerId, queues: ["q", "other"], max: 10 });
    await configureQueue(store.database, "q", { maxRunning: 2 }, act);
    const marked = async () =>
      store.database.query<{ queue: string; limited: boolean }>(
        "select queue, limited from jobqueue.jobs order by queue, limited, id",
      );
    expect(await marked()).toEqual([
      { queue: "other", limited: false },
      { queue: "q", limited: true },
      { queue: "q", limited: true },
    ]);
    await enqueueMany(store.database, [{ queue: "q", kind: "k" }]);
    expect(await claim(store.database, { workerId, queues: ["q"], max: 10 })).toEqual([]);
    await configureQueue(store.database, "q", { maxRunning: null }, act);
    expect((await marked()).some((row) => row.limited)).toBe(false);
    expect(await claim(store.database, { workerId, queues: ["q"], max: 10 })).toHaveLength(1);
  });

  it("a claim under way is waited for, so that none of its jobs escapes the limit", async () => {
    const workerId = await store.worker();
    await enqueueMany(store.database, [{ queue: "q", kind: "k" }]);
    const other = store.connect();
    let configured: Promise<boolean> | undefined;
    await store.database.transaction(async (session) => {
      expect(await claim(session, { workerId, queues: ["q"], max: 1 })).toHaveLength(1);
      configured = configureQueue(other, "q", { maxRunning: 1 }, act);
      await expect
        .poll(async () => store.connect().query("select from pg_locks where locktype = 'advisory' and not granted"))
        .toHaveLength(1);
    });
    expect(await configured).toBe(true);
    expect(await store.database.query("select limited from jobqueue.jobs")).toEqual([{ limited: true }]);
  });

  describe("refuses", () => {
    it.each([
      [{ max_attempts: 0 }, "max_attempts is 0: write a whole number from 1 to 1000"],
      [{ max_attempts: 1.5 }, "max_attempts is 1.5: write a whole number from 1 to 1000"],
      [{ max_attempts: "5" }, 'max_attempts is "5": write a whole number from 1 to 1000'],
      [{ timeout_seconds: 1e9 }, "timeout_seconds is 1000000000: write a number from 0.001 to 604800"],
      [{ on_worker_loss: "drop" }, 'on_worker_loss is "drop": write "retry", "fail" or "hold"'],
      [{ fair: 1 }, "fair is 1: write true or false"],
      [{ rate: { per_seconds: 1 } }, 'write {"count": 100, "per_seconds": 60}'],
      [{ rate: { count: 0 } }, "rate.count is 0: write a whole number from 1 to 1000000"],
      [{ rate: { count: 1, burst: 2 } }, 'write {"count": 100, "per_seconds": 60}'],
      [{ retry: { linear: 1 } }, "retry has the unknown key 'linear': its keys are exponential, intervals_seconds"],
      [{ max_runing: 1 }, "unknown setting 'max_runing' in the policy of a queue: settings are max_attempts"],
      ["fast", "policy must be a JSON object"],
    ])("%j", async (bad, words) => {
      const refused = store.database.query("select jobqueue.configure_queue('q', $1, 'a', 'r')", [JSON.stringify(bad)]);
      await expect(refused).rejects.toThrow(words);
      await expect(refused).rejects.toMatchObject({ code: "invalid_input", sqlstate: "22023" });
      expect(await policy()).toBeUndefined();
    });

    it("a queue that cannot be named so, and an act without actor or reason", async () => {
      await expect(configureQueue(store.database, "Q!", {}, act)).rejects.toThrow("cannot be the name of a queue");
      await expect(configureQueue(store.database, "q", {}, { actor: "", reason: "r" })).rejects.toThrow(
        "say who does it",
      );
      await expect(configureQueue(store.database, "q", {}, { actor: "a", reason: "" })).rejects.toThrow("say why");
    });
  });

  it("the store's settings: set, left, put back, audited once, refused", async () => {
    expect(await configureStore(store.database, { completedSeconds: 60, deadSeconds: 7200 }, act)).toBe(true);
    expect(await configureStore(store.database, { completedSeconds: 60 }, act)).toBe(false);
    expect(await configureStore(store.database, { completedSeconds: null, deadSeconds: null }, act)).toBe(true);
    expect(await audit()).toMatchObject([
      { action: "configure_store", target: "store", after: { completed_seconds: 60, dead_seconds: 7200 } },
      { after: { completed_seconds: 604_800, dead_seconds: 2_592_000 } },
    ]);
    await expect(configureStore(store.database, { auditSeconds: 1 }, act)).rejects.toThrow(
      "audit_seconds is 1: write a whole number from 86400 to 315360000",
    );
  });
});

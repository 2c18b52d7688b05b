import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { configureStore } from "../maintenance/configure-store.ts";
import { storeSettings } from "../maintenance/store-settings.ts";
import { configureQueue } from "../queues/configure-queue.ts";
import { queuePolicy } from "../queues/queue-policy.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { listAuditEvents } from "./list-audit-events.ts";

const ACT = { actor: "ana@laptop", reason: "test" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("a policy and the settings of the store are read back as they were set, and the audit has who and why (G19)", async () => {
    const { database } = store;
    const policy = {
      maxAttempts: 9,
      timeoutSeconds: 0.5,
      resultTtlSeconds: 0,
      retry: { intervalsSeconds: [1, 60] },
      onWorkerLoss: "hold" as const,
      maxRecoveries: 5,
      maxRunning: 2,
      maxRunningPerKey: 1,
      fair: true,
      rate: { count: 10, perSeconds: 60 },
    };
    await configureQueue(database, "mailers", policy, ACT);
    expect(await queuePolicy(database, "mailers")).toEqual(policy);
    const exponential = { exponential: { maxSeconds: 60 } };
    await configureQueue(database, "mailers", { retry: exponential, rate: null, maxRunning: null }, ACT);
    expect(await queuePolicy(database, "mailers")).toEqual({
      ...policy,
      retry: exponential,
      rate: null,
      maxRunning: null,
    });
    expect(await queuePolicy(database, "nothing")).toBeUndefined();

    await configureStore(database, { deadSeconds: 3600 }, ACT);
    expect(await storeSettings(database)).toEqual({
      completedSeconds: 604_800,
      cancelledSeconds: 604_800,
      deadSeconds: 3600,
      auditSeconds: 31_536_000,
      recovery: "recover",
      recoveryGraceSeconds: 0,
    });

    const all = await listAuditEvents(database);
    expect(all.map(({ action, target }) => [action, target])).toEqual([
      ["configure_store", "store"],
      ["configure_queue", "mailers"],
      ["configure_queue", "mailers"],
    ]);
    expect(all[1]).toMatchObject({ ...ACT, count: 1, before: { max_running: 2 }, after: { max_running: null } });
  });

  it("audit events are listed by page, action, actor, target and age, the newest first", async () => {
    const { database } = store;
    const [newest, middle, oldest] = await listAuditEvents(database);
    expect(await listAuditEvents(database, { limit: 1 })).toEqual([newest]);
    expect(await listAuditEvents(database, { limit: 2, afterId: newest?.id })).toEqual([middle, oldest]);
    expect(await listAuditEvents(database, { action: "configure_queue" })).toEqual([middle, oldest]);
    expect(await listAuditEvents(database, { target: "store" })).toEqual([newest]);
    expect(await listAuditEvents(database, { actor: "laptop", sinceSeconds: 3600 })).toHaveLength(3);
    expect(await listAuditEvents(database, { actor: "%" })).toEqual([]);
    await database.query(
      "update jobqueue.audit_events set at = at - interval '2 hours' where action = 'configure_store'",
    );
    expect(await listAuditEvents(database, { sinceSeconds: 3600 })).toEqual([middle, oldest]);
    await expect(listAuditEvents(database, { limit: 0 })).rejects.toMatchObject({ code: "invalid_input" });
  });
});

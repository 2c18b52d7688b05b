import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { configurePool, listPools, type PoolSettings } from "./configure-pool.ts";

const ACT = { actor: "operator", reason: "spec.workers.health" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  const workerOf = async (pool: string | undefined) =>
    registerWorker(store.database, { bootId: crypto.randomUUID(), pool });
  const told = async (worker: string) => (await heartbeat(store.database, worker))?.loopStallMs;
  const configure = async (pool: string, settings: PoolSettings) => configurePool(store.database, pool, settings, ACT);
  const audited = async (pool: string) =>
    store.database.query(
      "select actor, reason, before, after from jobqueue.audit_events where action = 'configure_pool' and target = $1 order by id",
      [`pools/${pool}`],
    );

  it("what a pool is set to reaches its workers with their next heartbeat, and no other worker", async () => {
    const [mine, other, none] = [await workerOf("shop/high"), await workerOf("shop/low"), await workerOf(undefined)];
    expect(await told(mine)).toBeUndefined();
    expect(await configure("shop/high", { loopStallMs: 45_000 })).toBe(true);
    expect([await told(mine), await told(other), await told(none)]).toEqual([45_000, undefined, undefined]);
    expect(await configure("shop/high", { loopStallMs: null })).toBe(true);
    expect(await told(mine)).toBeUndefined();
    expect(await listPools(store.database)).toEqual([]);
  });

  it("G19: each change is one audit event in its transaction; what is so already writes nothing", async () => {
    expect(await configure("shop/audited", { loopStallMs: 1_000 })).toBe(true);
    expect(await configure("shop/audited", { loopStallMs: 1_000 })).toBe(false);
    expect(await configure("shop/audited", {})).toBe(false);
    expect(await configure("shop/never", { loopStallMs: null })).toBe(false);
    expect(await configure("shop/audited", { loopStallMs: 2_000 })).toBe(true);
    expect(await audited("shop/audited")).toEqual([
      { ...ACT, before: null, after: { loop_stall_ms: 1_000 } },
      { ...ACT, before: { loop_stall_ms: 1_000 }, after: { loop_stall_ms: 2_000 } },
    ]);
    expect(await audited("shop/never")).toEqual([]);
  });

  it.each([99, 3_600_001, 1.5])("refuses a stall of %s ms with what to write instead", async (loopStallMs) => {
    await expect(configure("shop/high", { loopStallMs })).rejects.toThrow(/loop_stall_ms is .*write a whole number/);
  });

  it("refuses settings it does not know", async () => {
    await expect(
      store.database.query(`select jobqueue.configure_pool('shop/high', '{"speed": 3}', 'alice', 'test')`),
    ).rejects.toThrow(/unknown setting 'speed' of a pool/);
  });
});

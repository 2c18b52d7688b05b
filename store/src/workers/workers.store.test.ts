import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "./heartbeat.ts";
import { listWorkers } from "./list-workers.ts";
import { deregisterWorker, registerWorker } from "./register-worker.ts";
import { workersGone } from "./workers-gone.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  const find = async (id: string) =>
    (await listWorkers(store.database, { includeGone: true })).find((row) => row.id === id);

  it("registers every fact, and a heartbeat adds what it says", async () => {
    const id = await registerWorker(store.database, {
      bootId: "boot-1",
      podUid: "uid-1",
      pod: "high-workers-abc",
      namespace: "shop",
      node: "node-1",
      hostname: "host-1",
      pid: 7,
      ppid: 1,
      image: "registry/image:1",
      runAs: "1000",
      cluster: "kind",
      version: "0.1.0",
      pool: "shop/high",
      queues: ["high", "default"],
      kinds: ["k", "l"],
      concurrency: 10,
      leaseSeconds: 45,
    });
    expect(await find(id)).toMatchObject({
      state: "active",
      isLive: true,
      bootId: "boot-1",
      podUid: "uid-1",
      container: "worker",
      pod: "high-workers-abc",
      namespace: "shop",
      node: "node-1",
      hostname: "host-1",
      pid: 7,
      ppid: 1,
      image: "registry/image:1",
      runAs: "1000",
      cluster: "kind",
      version: "0.1.0",
      pool: "shop/high",
      queues: ["high", "default"],
      kinds: ["k", "l"],
      concurrency: 10,
      leaseSeconds: 45,
      loopAgeMs: null,
      running: 0,
    });
    await enqueue(store.database, { queue: "high", kind: "k" });
    await claim(store.database, { workerId: id, queues: ["high"], max: 1 });
    const renewed = await heartbeat(store.database, id, {
      loopAgeMs: 3.4,
      lastClaimAgeMs: 20,
      slotsBusy: 1,
      slotsStuck: 0,
      lastFinishAgeMs: 7.6,
    });
    expect(renewed?.cancelIds).toEqual([]);
    expect(renewed?.leaseMs).toBe(45_000);
    const seen = await find(id);
    expect(seen).toMatchObject({ loopAgeMs: 3, lastClaimAgeMs: 20, lastFinishAgeMs: 8, slotsBusy: 1, running: 1 });
    expect(seen?.leaseUntil).toEqual(renewed?.leaseUntil);
    expect((seen?.leaseUntil.getTime() ?? 0) - (seen?.heartbeatAt.getTime() ?? 0)).toBe(45_000);
    await deregisterWorker(store.database, id);
    expect(await find(id)).toMatchObject({ state: "gone", isLive: false, goneReason: "deregistered", running: 1 });
    expect((await listWorkers(store.database)).find((row) => row.id === id)).toBeUndefined();
  });

  describe("a new incarnation", () => {
    it("W14: of the same container of the same pod marks the earlier one gone; other containers and pods stay", async () => {
      const [earlier, sidecar, neighbour] = [
        await registerWorker(store.database, { bootId: "a", podUid: "pod-a" }),
        await registerWorker(store.database, { bootId: "b", podUid: "pod-a", container: "sidecar" }),
        await registerWorker(store.database, { bootId: "c", podUid: "pod-b" }),
      ];
      const next = await registerWorker(store.database, { bootId: "d", podUid: "pod-a" });
      expect(await find(earlier)).toMatchObject({ state: "gone", goneReason: `superseded by worker ${next}` });
      expect(await find(sidecar)).toMatchObject({ state: "active" });
      expect(await find(neighbour)).toMatchObject({ state: "active" });
      expect(await heartbeat(store.database, earlier)).toBeUndefined();
    });

    it("W14: without a pod is told from others by its boot id alone", async () => {
      const [one, two] = [
        await registerWorker(store.database, { bootId: "x", hostname: "same" }),
        await registerWorker(store.database, { bootId: "y", hostname: "same" }),
      ];
      expect(await find(one)).toMatchObject({ state: "active" });
      await registerWorker(store.database, { bootId: "x" });
      expect(await find(one)).toMatchObject({ state: "gone" });
      expect(await find(two)).toMatchObject({ state: "active" });
    });
  });

  it("a worker that drains never becomes active again, and keeps its lease meanwhile", async () => {
    const id = await store.worker();
    await heartbeat(store.database, id, { state: "draining" });
    expect(await heartbeat(store.database, id, { state: "active" })).toBeDefined();
    expect(await find(id)).toMatchObject({ state: "draining", isLive: true });
  });

  it("W6: a beat that does not renew is seen, and leaves the lease to run out", async () => {
    const id = await store.worker({ leaseSeconds: 30 });
    const first = await heartbeat(store.database, id);
    const blocked = await heartbeat(store.database, id, { renew: false, loopAgeMs: 31_000 });
    expect(blocked?.leaseUntil).toEqual(first?.leaseUntil);
    expect(blocked?.leaseMs).toBeLessThanOrEqual(30_000);
    expect(await find(id)).toMatchObject({ loopAgeMs: 31_000, verdict: "loop_blocked", isLive: true });
    expect((await heartbeat(store.database, id, { loopAgeMs: 1 }))?.leaseMs).toBe(30_000);
    expect(await find(id)).toMatchObject({ verdict: "healthy" });
    await store.lapse(id);
    expect(await heartbeat(store.database, id, { renew: false })).toBeUndefined();
    expect(await find(id)).toMatchObject({ verdict: "lapsed", isLive: false });
  });

  it.each([
    ["healthy", { slotsBusy: 2, lastClaimAgeMs: 10 }, 2],
    ["healthy", { slotsBusy: 2, lastClaimAgeMs: 600_000 }, 2],
    ["claim_stalled", { slotsBusy: 1, lastClaimAgeMs: 60_001 }, 2],
    ["slots_stuck", { slotsBusy: 2, slotsStuck: 2 }, 2],
    ["healthy", { slotsBusy: 2, slotsStuck: 1, lastClaimAgeMs: 5 }, 2],
    ["slots_stuck", { slotsBusy: 2, slotsStuck: 2, state: "draining" as const }, 2],
    ["draining", { state: "draining" as const, lastClaimAgeMs: 600_000 }, 2],
  ])("W10: the verdict is %s when it says %j", async (verdict, facts, concurrency) => {
    const id = await registerWorker(store.database, { bootId: crypto.randomUUID(), concurrency });
    await heartbeat(store.database, id, facts);
    expect(await find(id)).toMatchObject({ verdict, lastFinishAgeMs: null });
  });

  it("a heartbeat stays a heap-only update: no index pays for it", async () => {
    const id = await store.worker();
    // A new connection, which has no other statistics pending.
    const stats = await store.connect().transaction(async (session) => {
      for (let beat = 0; beat < 5; beat += 1)
        await heartbeat(session, id, { loopAgeMs: beat, state: "active", renew: beat < 3 });
      return session.query<{ updates: string; hot: string }>(
        `select n_tup_upd as updates, n_tup_hot_upd as hot from pg_stat_xact_user_tables
         where schemaname = 'jobqueue' and relname = 'workers'`,
      );
    });
    expect(stats).toEqual([{ updates: "5", hot: "5" }]);
  });

  it("workers of pods that are gone are marked once, with one audit event (G19)", async () => {
    const [one, two] = [await store.worker({ podUid: "lost-1" }), await store.worker({ podUid: "lost-2" })];
    const other = await store.worker({ podUid: "alive" });
    const pods = { podUids: ["lost-1", "lost-2", "never-seen"], actor: "operator", reason: "pod deleted" };
    expect((await workersGone(store.database, pods)).toSorted()).toEqual([one, two].toSorted());
    expect(await workersGone(store.database, pods)).toEqual([]);
    expect(await find(one)).toMatchObject({ state: "gone", goneReason: "pod deleted" });
    expect(await find(other)).toMatchObject({ state: "active" });
    const events = await store.database.query(
      "select action, actor, reason, count, after from jobqueue.audit_events where action = 'workers_gone'",
    );
    expect(events).toEqual([
      {
        action: "workers_gone",
        actor: "operator",
        reason: "pod deleted",
        count: 2,
        after: { workers: [Number(one), Number(two)], pod_uids: pods.podUids },
      },
    ]);
  });

  it.each([
    ["without a boot id", { bootId: "" }, /the fact boot_id is missing: send/],
    ["with a lease of 0 seconds", { bootId: "x", leaseSeconds: 0 }, /the fact lease_seconds is 0: write 1 to 3600/],
    ["with a pid that is no number", { bootId: "x", pid: 1.5 }, /invalid input syntax for type integer: "1.5"/],
  ])("a registration %s is refused", async (_, facts, words) => {
    await expect(registerWorker(store.database, facts)).rejects.toThrow(words);
  });
});

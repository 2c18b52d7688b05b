import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { listAuditEvents } from "../audit/list-audit-events.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueueMany } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { drainIdleWorkers, releaseDrainedWorkers } from "./drain-workers.ts";
import { dueWork } from "./due-work.ts";
import { heartbeat } from "./heartbeat.ts";
import { listWorkers } from "./list-workers.ts";
import { registerWorker } from "./register-worker.ts";

const POOL = "shop/mailers";
const WHY = { actor: "operator", reason: "the pool shrinks" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  beforeEach(async () => store.clear());
  afterAll(async () => store.close());

  const worker = (podUid: string, pool = POOL) =>
    registerWorker(store.database, {
      bootId: crypto.randomUUID(),
      podUid,
      pod: `mailers-workers-${podUid}`,
      pool,
      queues: ["q"],
      leaseSeconds: 600,
    });
  const jobs = (count: number) =>
    enqueueMany(
      store.database,
      Array.from({ length: count }, () => ({ queue: "q", kind: "k" })),
    );
  const claimOne = (workerId: string) => claim(store.database, { workerId, queues: ["q"], max: 1 });
  const drain = (count: number, firstPods: readonly string[] = []) =>
    drainIdleWorkers(store.database, { pool: POOL, count, firstPods, ...WHY });

  describe("draining idle workers", () => {
    it("takes only idle ones of the pool, which then claim nothing, are told so and stay live", async () => {
      const [busy, idle, stranger] = [await worker("a"), await worker("b"), await worker("c", "shop/other")];
      await jobs(3);
      await claimOne(busy);
      expect(await drain(5)).toEqual([{ id: idle, podUid: "b", pod: "mailers-workers-b" }]);
      expect(await claimOne(idle)).toEqual([]);
      expect(await claimOne(stranger)).toHaveLength(1);
      expect(await heartbeat(store.database, idle)).toMatchObject({ drained: true });
      expect(await heartbeat(store.database, busy)).toMatchObject({ drained: false });
      expect(await dueWork(store.database, idle)).toMatchObject({ workInMs: undefined });
      const seen = (await listWorkers(store.database)).find(({ id }) => id === idle);
      expect(seen).toMatchObject({ state: "active", isLive: true, verdict: "draining", running: 0 });
      expect(seen?.drainSince).toBeInstanceOf(Date);
      expect(await drain(5), "nobody is idle any more").toEqual([]);
    });

    it("begins with the pods that go first anyway, then with those that have been idle longest", async () => {
      const idleFor = async (podUid: string, seconds: number) => {
        const id = await worker(podUid);
        await heartbeat(store.database, id, { lastFinishAgeMs: seconds * 1000 });
      };
      await idleFor("short", 5);
      await idleFor("long", 500);
      await idleFor("unready", 1);
      expect((await drain(1, ["unready"])).map(({ podUid }) => podUid)).toEqual(["unready"]);
      expect((await drain(1)).map(({ podUid }) => podUid)).toEqual(["long"]);
    });

    it("is over for a worker once it is released, and a hint tells it", async () => {
      const id = await worker("a");
      await drain(1);
      await jobs(1);
      const hints: string[] = [];
      const listening = await store.database.listen({ onHint: (hint) => hints.push(hint), onHearing: () => {} });
      expect(await releaseDrainedWorkers(store.database, { ids: [id], ...WHY })).toEqual([id]);
      expect(await releaseDrainedWorkers(store.database, { ids: [id], ...WHY }), "again").toEqual([]);
      await expect.poll(() => hints).toContain(`worker:${id}`);
      await listening.stop();
      expect(await claimOne(id)).toHaveLength(1);
      expect(await heartbeat(store.database, id)).toMatchObject({ drained: false });
    });

    it("lasts over a restart of the container and the loss of a lease, and is forgotten once it was released", async () => {
      await worker("a");
      await drain(1);
      await jobs(3);
      const second = await worker("a");
      expect(await claimOne(second)).toEqual([]);
      await releaseDrainedWorkers(store.database, { ids: [second], ...WHY });
      const third = await worker("a");
      expect(await claimOne(third)).toHaveLength(1);
    });

    it("leaves alone who is leaving, and who has lost its lease", async () => {
      const [leaving, lapsed] = [await worker("a"), await worker("b")];
      await heartbeat(store.database, leaving, { state: "draining" });
      await store.lapse(lapsed);
      expect(await drain(5)).toEqual([]);
    });

    it("G19: is written to the audit trail when it changed something, and only then", async () => {
      const id = await worker("a");
      await drain(1);
      await drain(1);
      await releaseDrainedWorkers(store.database, { ids: [id], ...WHY });
      await releaseDrainedWorkers(store.database, { ids: [id], ...WHY });
      const events = await listAuditEvents(store.database, { limit: 10 });
      expect(events.map(({ action, target, reason, count }) => ({ action, target, reason, count }))).toEqual([
        { action: "release_workers", target: POOL, reason: WHY.reason, count: 1 },
        { action: "drain_workers", target: POOL, reason: WHY.reason, count: 1 },
      ]);
    });

    it("refuses nonsense, and levels of isolation in which it could not see what it must", async () => {
      await expect(drain(0)).rejects.toMatchObject({ code: "invalid_input" });
      await expect(
        drainIdleWorkers(store.database, { pool: POOL, count: 1, actor: "", reason: "x" }),
      ).rejects.toMatchObject({ code: "invalid_input" });
      const strict = store.connect();
      await expect(
        strict.query(
          `begin isolation level repeatable read; select jobqueue.drain_idle_workers('${POOL}', 1, 'a', 'b'); commit`,
        ),
      ).rejects.toThrow(/READ COMMITTED/);
    });
  });

  it("thousands of claims against drains and releases: no drained worker ever gets or holds a job, no busy one is drained", async () => {
    const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => worker(`pod-${n}`)));
    await jobs(2_000);
    // What each worker holds, and whether it is drained, by what was committed: every claim and drain writes it down.
    await store.database.query(`
      create table public.seen (at bigint generated always as identity, worker_id bigint, what text);
      create function note_claim() returns trigger language plpgsql as $$ begin
        insert into public.seen (worker_id, what) select new.worker_id, case when w.drain_since is null then 'claimed' else 'claimed while drained' end
          from jobqueue.workers w where w.id = new.worker_id; return null; end $$;
      create trigger note_claim after insert on jobqueue.leases for each row execute function note_claim();
      create function note_drain() returns trigger language plpgsql as $$ begin
        insert into public.seen (worker_id, what) values (new.id, case when exists (select from jobqueue.jobs j where j.worker_id = new.id and j.state = 1)
          then 'drained while busy' else 'drained' end); return null; end $$;
      create trigger note_drain after update on jobqueue.workers for each row
        when (old.drain_since is null and new.drain_since is not null) execute function note_drain();`);
    const over = new AbortController();
    let claims = 0;
    let refused = 0;
    const claimer = async (workerId: string): Promise<void> => {
      const database = store.connect({ poolSize: 1 });
      while (!over.signal.aborted) {
        const claimed = await claim(database, { workerId, queues: ["q"], max: 1 });
        claims += 1;
        if (claimed.length === 0) refused += 1;
        for (const { id, leaseToken } of claimed) await complete(database, [{ id, leaseToken }]);
      }
    };
    let drains = 0;
    const drainer = async (): Promise<void> => {
      const database = store.connect({ poolSize: 1 });
      while (!over.signal.aborted) {
        const drained = await drainIdleWorkers(database, { pool: POOL, count: 3, ...WHY });
        drains += drained.length;
        const held = await database.query(
          "select from jobqueue.jobs j join jobqueue.workers w on w.id = j.worker_id where j.state = 1 and w.drain_since is not null",
        );
        if (held.length > 0) throw new Error("a drained worker holds a job");
        await releaseDrainedWorkers(database, { ids: drained.map(({ id }) => id), ...WHY });
        const [row] = await database.query<{ left: string }>("select count(*) as left from jobqueue.jobs");
        if (row?.left === "0") over.abort();
      }
    };
    const stop = (error: unknown): never => {
      over.abort();
      throw error;
    };
    await Promise.all([...ids.map(claimer), drainer()].map((work) => work.catch(stop)));
    const seen = await store.database.query<{ what: string; count: string }>(
      "select what, count(*) from public.seen group by what order by what",
    );
    expect(seen.map(({ what }) => what)).toEqual(["claimed", "drained"]);
    expect({ claims, refused, drains }).toSatisfy(() => claims >= 2_000 && refused > 0 && drains > 20);
    await store.database.query(
      "drop trigger note_claim on jobqueue.leases; drop trigger note_drain on jobqueue.workers",
    );
  }, 180_000);
});

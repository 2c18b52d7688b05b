import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { recoverStale } from "../jobs/recover-stale.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { listWorkers } from "../workers/list-workers.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { advanceRestart, type RestartStep } from "./advance-restart.ts";
import { listRestarts } from "./list-restarts.ts";
import { type NewRestart, openRestart, type RestartBudget } from "./open-restart.ts";

const ACT = { actor: "operator shop/high", reason: "the worker has been silent for 95 s" };
const GENEROUS: RestartBudget = { concurrent: 100, spacingMs: 0, windowMs: 600_000, windowMost: 100 };
const SILENT_MS = 90_000;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => {
    await store.database.query("delete from jobqueue.restart_intents");
    await store.clear();
  });

  let made = 0;
  /** A worker in a pod of its own that has been silent for 100 seconds, with its lease lapsed long ago. */
  async function silentWorker(): Promise<{ worker: string; podUid: string }> {
    const podUid = `uid-${++made}`;
    const worker = await registerWorker(store.database, {
      bootId: crypto.randomUUID(),
      podUid,
      pool: "shop/high",
      concurrency: 2,
    });
    await silence(worker);
    return { worker, podUid };
  }
  const silence = async (worker: string) =>
    store.database.query(
      `update jobqueue.workers set heartbeat_at = clock_timestamp() - interval '100 s', started_at = clock_timestamp() - interval '200 s',
         lease_until = clock_timestamp() - interval '70 s' where id = $1`,
      [worker],
    );
  const restart = (of: { worker: string; podUid: string }, more: Partial<NewRestart> = {}): NewRestart => ({
    pool: "shop/high",
    queue: "high",
    templateHash: "abc",
    namespace: "shop",
    pod: `pod-of-${of.podUid}`,
    podUid: of.podUid,
    node: "node-1",
    reason: "HeartbeatLapsed",
    evidence: { silentMs: 95_000 },
    term: "7",
    hung: { worker: of.worker, verdict: "lapsed", silentMs: SILENT_MS },
    ...more,
  });
  const open = async (intent: NewRestart, budget: Partial<RestartBudget> = {}, database = store.database) =>
    openRestart(database, intent, { ...GENEROUS, ...budget }, ACT);
  const opened = async (intent: NewRestart, budget: Partial<RestartBudget> = {}): Promise<string> => {
    const result = await open(intent, budget);
    if (!("id" in result)) throw new Error(`refused: ${result.refused}`);
    return result.id;
  };
  const advance = async (id: string, ...steps: RestartStep[]) => {
    const results: boolean[] = [];
    for (const to of steps) results.push(await advanceRestart(store.database, { id, to, actor: ACT.actor }));
    return results;
  };
  const age = async (id: string, seconds: number) =>
    store.database.query(
      "update jobqueue.restart_intents set opened_at = opened_at - make_interval(secs => $2) where id = $1",
      [id, seconds],
    );
  const audit = async () =>
    store.database.query<{ action: string; before: { state?: string } | null; after: { state?: string } }>(
      "select action, before, after from jobqueue.audit_events where action in ('open_restart', 'advance_restart') order by id",
    );

  describe("deciding a restart", () => {
    it("writes the intent with its evidence and one audit event, and nothing else (G19)", async () => {
      const hung = await silentWorker();
      const id = await opened(restart(hung));
      const [row] = await listRestarts(store.database);
      expect(row).toMatchObject({
        id,
        pool: "shop/high",
        podUid: hung.podUid,
        workerId: hung.worker,
        reason: "HeartbeatLapsed",
        evidence: { silentMs: 95_000 },
        state: "open",
        isOpen: true,
        asked: false,
        refusedMs: null,
        outcome: null,
        workerIsBack: false,
      });
      expect(await audit()).toMatchObject([{ action: "open_restart", after: { intent: Number(id), term: "7" } }]);
      expect((await listWorkers(store.database))[0]?.state).toBe("active");
    });

    it("two operators at once: one of them wins, for one pod and for the last of the budget", async () => {
      const [hung, second] = [await silentWorker(), await silentWorker()];
      const others = Array.from({ length: 4 }, () => store.connect());
      const same = await Promise.all(others.map(async (database) => open(restart(hung), {}, database)));
      expect(same.filter((result) => "id" in result)).toHaveLength(1);
      expect(same.filter((result) => "refused" in result && result.refused === "known")).toHaveLength(3);
      const third = await silentWorker();
      const budget = { windowMost: 2 };
      const racing = await Promise.all(
        [second, third].map(async (worker, index) => open(restart(worker), budget, others[index])),
      );
      expect(racing.filter((result) => "id" in result)).toHaveLength(1);
      expect(racing).toContainEqual({ refused: "window" });
    });

    it("G16: refuses a worker that is not what it was judged to be any more", async () => {
      const hung = await silentWorker();
      const beating = await registerWorker(store.database, { bootId: "b", podUid: "uid-beats" });
      const asked = (of: { worker: string; podUid: string }) => open(restart(of));
      expect(await asked({ worker: beating, podUid: "uid-beats" })).toEqual({ refused: "not_hung" });
      expect(await asked({ worker: hung.worker, podUid: "uid-of-another-pod" })).toEqual({ refused: "not_hung" });
      expect(await asked({ worker: "999999", podUid: "uid-nobody" })).toEqual({ refused: "not_hung" });
      await registerWorker(store.database, { bootId: crypto.randomUUID(), podUid: hung.podUid, container: "other" });
      expect(await asked(hung)).toEqual({ refused: "not_hung" });
      expect(await listRestarts(store.database)).toEqual([]);
      expect(await audit()).toEqual([]);
    });

    it.each([
      ["blocked", "renewing = false", "renewing = true"],
      ["stalled", "last_claim_age_ms = 95000, slots_busy = 0", "slots_busy = 2"],
      ["stalled", "last_claim_age_ms = 95000, slots_busy = 1", "last_claim_age_ms = 10"],
      ["all-slots-stuck", "slots_stuck = 2, last_finish_age_ms = 95000", "slots_stuck = 1"],
      ["all-slots-stuck", "slots_stuck = 2, last_finish_age_ms = null", "last_finish_age_ms = 10"],
    ] as const)("looks at what makes a worker %s again (%s)", async (verdict, so, notSo) => {
      const hung = await silentWorker();
      const set = async (facts: string) =>
        store.database.query(`update jobqueue.workers set ${facts} where id = $1`, [hung.worker]);
      const intent = restart(hung, { hung: { worker: hung.worker, verdict, silentMs: SILENT_MS } });
      await set(so);
      await set(notSo);
      expect(await open(intent)).toEqual({ refused: "not_hung" });
      await set(so);
      expect(await open(intent)).toHaveProperty("id");
    });

    it("R9: a worker that drains, or is gone or fenced, is not hung", async () => {
      for (const state of ["draining", "gone", "fenced"]) {
        const hung = await silentWorker();
        await store.database.query(
          "update jobqueue.workers set state = $2, gone_at = case $2 when 'gone' then clock_timestamp() end where id = $1",
          [hung.worker, state],
        );
        expect(await open(restart(hung))).toEqual({ refused: "not_hung" });
      }
    });

    it("G15: keeps to the number at a time, the spacing and the window, whoever opened what is there", async () => {
      const first = await opened(restart(await silentWorker()));
      expect(await open(restart(await silentWorker()), { concurrent: 1 })).toEqual({ refused: "concurrent" });
      await advance(first, "fenced", "recovered", "evicted", "closed");
      expect(await open(restart(await silentWorker()), { spacingMs: 30_000 })).toEqual({ refused: "spacing" });
      await age(first, 31);
      const second = await opened(restart(await silentWorker()), { spacingMs: 30_000 });
      expect(await open(restart(await silentWorker()), { windowMost: 2 })).toEqual({ refused: "window" });
      await age(second, 601);
      expect(await open(restart(await silentWorker()), { windowMost: 2 })).toHaveProperty("id");
      const elsewhere = await silentWorker();
      expect(await open(restart(elsewhere, { pool: "shop/low" }), { concurrent: 1, windowMost: 1 })).toHaveProperty(
        "id",
      );
    });

    it("one intent per pod for ever; only one whose worker came back by itself may be judged again", async () => {
      const [done, gone, spared] = [await silentWorker(), await silentWorker(), await silentWorker()];
      await advance(await opened(restart(done)), "fenced", "recovered", "evicted", "closed");
      await advance(await opened(restart(gone)), "abandoned");
      const id = await opened(restart(spared));
      await advanceRestart(store.database, { id, to: "abandoned", actor: "operator", detail: "recovered" });
      expect(await open(restart(done))).toEqual({ refused: "known" });
      expect(await open(restart(gone))).toEqual({ refused: "known" });
      expect(await open(restart(spared))).toEqual({ id });
      expect((await listRestarts(store.database)).filter(({ podUid }) => podUid === spared.podUid)).toMatchObject([
        { state: "open", outcome: null, closedAt: null },
      ]);
    });

    it("what a person asks for needs no verdict and spends no budget, but a pod gets one intent all the same", async () => {
      const podUid = "uid-asked";
      const intent = { ...restart({ worker: "1", podUid }), hung: undefined, reason: "Requested" };
      const id = await opened(intent, { concurrent: 0, windowMost: 0 });
      expect(await open(intent)).toEqual({ refused: "known" });
      await advance(id, "evicted", "closed");
      expect(await open(restart(await silentWorker()), { spacingMs: 30_000, windowMost: 1 })).toHaveProperty("id");
    });

    it("says what an intent or a budget lacks", async () => {
      const call = async (intent: object, budget: object) =>
        store.database.query("select * from jobqueue.open_restart($1, $2, 'operator', 'test')", [
          JSON.stringify(intent),
          JSON.stringify(budget),
        ]);
      await expect(call({}, {})).rejects.toThrow(/must say pool, queue, template_hash/);
      const { worker, podUid } = await silentWorker();
      const enough = {
        pool: "p",
        queue: "q",
        template_hash: "t",
        namespace: "n",
        pod: "x",
        pod_uid: podUid,
        reason: "r",
      };
      await expect(call(enough, {})).rejects.toThrow(/must say worker, verdict and silent_ms/);
      const judged = { ...enough, worker, verdict: "lapsed", silent_ms: 1000 };
      await expect(call(judged, { concurrent: 1 })).rejects.toThrow(/budget must say concurrent, spacing_ms/);
    });
  });

  describe("carrying it out", () => {
    it("fencing takes the lease for good in the same transaction: what the worker ran is recovered, its late word is void (G5)", async () => {
      await enqueue(store.database, { queue: "high", kind: "k" });
      const podUid = "uid-fenced";
      const worker = await registerWorker(store.database, { bootId: "fenced", podUid, pool: "shop/high" });
      const [job] = await claim(store.database, { workerId: worker, queues: ["high"], max: 1 });
      await silence(worker);
      const id = await opened(restart({ worker, podUid }));
      expect(await advance(id, "fenced")).toEqual([true]);
      expect((await listWorkers(store.database))[0]).toMatchObject({
        state: "fenced",
        verdict: "fenced",
        isLive: false,
      });
      expect(await heartbeat(store.database, worker)).toBeUndefined();
      const recovered = await recoverStale(store.database, { workers: [worker], actor: "operator" });
      expect(recovered).toMatchObject([{ id: job?.id, outcome: "retried" }]);
      const late = await complete(store.database, [{ id: job?.id ?? "", leaseToken: job?.leaseToken ?? "" }]);
      expect(late).toEqual([job?.id]);
    });

    it("each step is taken once and audited once; never backwards, never after the end", async () => {
      const id = await opened(restart(await silentWorker()));
      expect(await advance(id, "fenced", "fenced", "recovered", "fenced")).toEqual([true, false, true, false]);
      expect(await advance(id, "refused", "refused", "evicted", "refused", "recovered")).toEqual([
        true,
        false,
        true,
        false,
        false,
      ]);
      expect(await advance(id, "closed", "closed", "abandoned", "evicted")).toEqual([true, false, false, false]);
      expect((await audit()).map(({ action, before, after }) => [action, before?.state, after.state])).toEqual([
        ["open_restart", undefined, undefined],
        ["advance_restart", "open", "fenced"],
        ["advance_restart", "fenced", "recovered"],
        ["advance_restart", "recovered", "recovered"],
        ["advance_restart", "recovered", "evicted"],
        ["advance_restart", "evicted", "closed"],
      ]);
      expect(await advance("999999", "fenced")).toEqual([false]);
    });

    it("two operators that take the same step at once: one audit event", async () => {
      const id = await opened(restart(await silentWorker()));
      const others = Array.from({ length: 4 }, () => store.connect());
      const results = await Promise.all(
        others.map(async (database) => advanceRestart(database, { id, to: "fenced", actor: "operator" })),
      );
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await audit()).toHaveLength(2);
    });

    it("shows that the worker came back, how long a disruption budget has refused, and how it ended", async () => {
      const hung = await silentWorker();
      const id = await opened(restart(hung));
      await advance(id, "fenced", "refused");
      const registered = await registerWorker(store.database, { bootId: "back", podUid: hung.podUid });
      const [row] = await listRestarts(store.database);
      expect(row).toMatchObject({ state: "fenced", workerIsBack: true });
      expect(row?.refusedMs).toBeGreaterThanOrEqual(0);
      expect(registered).not.toBe(hung.worker);
      await advanceRestart(store.database, { id, to: "abandoned", actor: "operator", detail: "recovered" });
      expect(await listRestarts(store.database)).toMatchObject([
        { state: "abandoned", isOpen: false, outcome: "recovered" },
      ]);
    });

    it("refuses a step it does not know", async () => {
      await expect(store.database.query("select jobqueue.advance_restart(1, 'open', 'operator')")).rejects.toThrow(
        /state is 'open': write fenced, recovered/,
      );
    });
  });
});

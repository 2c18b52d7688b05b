import {
  configureStore,
  deregisterWorker,
  enqueue,
  getJob,
  listWorkers,
  recoverStale,
  retryJob,
} from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE, type WorkerProcess } from "./testing/worker-process.ts";

/** As `worker-process.ts` sets them. */
const LEASE_MS = 4_000;
const SWEEP_MS = 500;

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("G8, W1: a job whose worker was killed runs again within lease + sweep + 5 s, without an operator, and finishes once", async () => {
    const first = await stage.worker();
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await first.logged("started");
    const second = await stage.worker({ env: LONG_LEASE });
    const killedAt = performance.now();
    await first.kill();
    await second.logged("started");
    expect(performance.now() - killedAt).toBeLessThan(LEASE_MS + SWEEP_MS + 5_000);
    stage.touch("go");
    const job = await stage.jobIn("completed", id);
    expect(job).toMatchObject({ attempt: 1, recoveries: 1, result: { pid: second.pid } });
    expect(await second.metric('jobqueue_worker_jobs_recovered_total{outcome="retried"}')).toBe(1);
    const rows = await stage.database.query("select id from jobqueue.job_history");
    expect(rows).toHaveLength(1);
  });

  it("where the store leaves stale jobs to people no worker's sweep touches them, until it is told to", async () => {
    const act = { actor: "ana", reason: "we look ourselves" };
    await configureStore(stage.database, { recovery: "report" }, act);
    const first = await stage.worker();
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await first.logged("started");
    const second = await stage.worker({ env: LONG_LEASE });
    await first.kill();
    await eventually("the job to be stale", async () => (await getJob(stage.database, id ?? ""))?.isStale || undefined);
    await sleep(6 * SWEEP_MS); // that nothing happens has no signal
    expect(await getJob(stage.database, id ?? "")).toMatchObject({ state: "running", recoveries: 0, isStale: true });
    await configureStore(stage.database, { recovery: "recover" }, act);
    await second.logged("started");
    const audit = await stage.database.query(
      "select actor, event from jobqueue.v_audit_events where action = 'recover_stale'",
    );
    expect(audit).toEqual([{ actor: "sweep", event: "recover_stale" }]);
    stage.touch("go");
    await stage.jobIn("completed", id);
  });

  it("G5, W2: a worker stopped past its lease changes nothing when it goes on; it aborts its handlers and registers anew", async () => {
    const zombie = await stage.worker();
    // One handler ends when it is aborted, the other returns a result later all the same.
    const [obedient, stubborn] = await stage.enqueue(
      { kind: "wait", payload: { file: stage.path("go") } },
      { kind: "stubborn", payload: { file: stage.path("go") } },
    );
    await zombie.logged("started", 2);
    const { workerId } = await zombie.logged("registered");
    zombie.signal("SIGSTOP");
    const heir = await stage.worker({ env: LONG_LEASE });
    await heir.logged("started", 2);
    zombie.signal("SIGCONT");
    await zombie.logged("aborted");
    const again = await zombie.logged("registered", 2);
    expect(again["workerId"]).not.toBe(workerId);
    expect(again["bootId"]).not.toBe((await zombie.logged("registered"))["bootId"]);
    const { token } = (await heir.logged("started")) as unknown as { token: string };
    const running = await getJob(stage.database, obedient ?? "");
    expect(running).toMatchObject({ state: "running", leaseToken: token });
    stage.touch("go");
    await zombie.logged("returns");
    for (const id of [obedient, stubborn]) {
      const job = await stage.jobIn("completed", id);
      expect(job).toMatchObject({ result: { pid: heir.pid }, attempt: 1, recoveries: 1, lastError: null });
    }
    // One by the handler that ended at its abort, one by the other: it returned only after the file was there.
    await zombie.logged("outcomes dropped: lease lost", 2);
    const dropped = zombie.entries("outcomes dropped: lease lost");
    expect(dropped.reduce((sum, entry) => sum + Number(entry["count"]), 0)).toBe(2);
    expect(zombie.isRunning).toBe(true);
    const [next] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", next);
    const pids = (await listWorkers(stage.database)).map((worker) => worker.pid);
    expect(new Set(pids)).toEqual(new Set([zombie.pid, heir.pid]));
  });

  /** Stops a worker until the database says that its lease has lapsed. */
  async function stopPastLease(worker: WorkerProcess): Promise<void> {
    worker.signal("SIGSTOP");
    await eventually(
      "its lease to lapse",
      async () => (await listWorkers(stage.database)).every((row) => !row.isLive) || undefined,
    );
  }

  it("W3: a worker stopped past its lease whose job nobody recovered: what its handler finished counts, and is not run again", async () => {
    // Its own first sweep comes within two seconds and the next one not in this test.
    const worker = await stage.worker({ env: { JOBQUEUE_SWEEP_SECONDS: "3600", JOBQUEUE_ABORT_GRACE_SECONDS: "30" } });
    const [id] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await worker.logged("started");
    await stopPastLease(worker);
    worker.signal("SIGCONT");
    await worker.logged("the lease is lost: handlers are aborted");
    await worker.logged("registered", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 0,
      result: { pid: worker.pid },
    });
    expect(worker.entries("started")).toHaveLength(1);
  });

  it("G5, W4: nor after a person's retry set the attempts back, so that both have the same number", async () => {
    const zombie = await stage.worker({ env: { JOBQUEUE_ABORT_GRACE_SECONDS: "30" } });
    const [id = ""] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await zombie.logged("started");
    await stopPastLease(zombie);
    expect(await recoverStale(stage.database, { policy: "fail" })).toMatchObject([{ id, outcome: "failed" }]);
    expect(await retryJob(stage.database, id, { actor: "alice", reason: "the worker was at fault" })).toBe("retried");
    const heir = await stage.worker({ env: LONG_LEASE });
    const { token } = await heir.logged("started");
    zombie.signal("SIGCONT");
    await zombie.logged("the lease is lost: handlers are aborted");
    stage.touch("go");
    await zombie.logged("outcomes dropped: lease lost");
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      generation: 2,
      leaseToken: token,
      result: { pid: heir.pid },
    });
  });

  it("G5, W5: nor does the old attempt of a worker that claimed the very job again that it had lost", async () => {
    const worker = await stage.worker({
      env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "2", JOBQUEUE_ABORT_GRACE_SECONDS: "30" },
    });
    const [id] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const { workerId } = await worker.logged("registered");
    await deregisterWorker(stage.database, String(workerId));
    const { token } = await worker.logged("started", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ attempt: 1, recoveries: 1, leaseToken: token });
    expect(await worker.logged("outcomes dropped: lease lost")).toMatchObject({ count: 1, jobIds: [id] });
  });

  it("W2: a worker stopped for longer than it may hang was not hung: it goes on", async () => {
    const worker = await stage.worker({
      env: { JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "1", JOBQUEUE_HUNG_AFTER_SECONDS: "5" },
    });
    await worker.logged("registered");
    worker.signal("SIGSTOP");
    await eventually(
      "it to have been silent for longer",
      async () => (await listWorkers(stage.database)).every((row) => row.heartbeatAgeMs > 6_000) || undefined,
    );
    worker.signal("SIGCONT");
    await worker.logged("the lease is lost: handlers are aborted");
    const [id] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", id);
    expect(worker.isRunning).toBe(true);
  });

  /** Runs a job that bursts the heap, with thirty others enqueued before it and thirty after, in the workers of these pods. */
  async function bombAmongOthers(...pods: string[]): Promise<object> {
    const others = Array.from({ length: 30 }, () => ({ kind: "sleep", payload: { ms: 50 } }));
    const ids = await stage.enqueue(...others, { kind: "bomb" }, ...others);
    const bomb = ids[others.length];
    const allEnded = stage.ended(ids, 100_000).then((jobs) => ({ jobs }));
    // What Kubernetes does: a process that ends is started again, in the same container of the same pod.
    const restarts = pods.map(async (podUid) => {
      const env = { POD_UID: podUid, NODE_OPTIONS: "--max-old-space-size=64", JOBQUEUE_SLOTS: "40" };
      for (let started = 1; ; started++) {
        const next = await Promise.race([allEnded, stage.spawn({ env }).exited]);
        if ("jobs" in next) return started;
      }
    });
    const { jobs } = await allEnded;
    const starts = (await Promise.all(restarts)).reduce((sum, started) => sum + started, 0);
    const beside = jobs.filter(({ id }) => id !== bomb);
    return {
      workersLost: starts - pods.length,
      bomb: jobs.find(({ id }) => id === bomb),
      states: new Set(beside.map(({ state }) => state)),
      mostLosses: Math.max(...beside.map(({ recoveries }) => recoveries)),
    };
  }

  /** Some jobs met the bomb twice, and none a third time. */
  const ONLY_THE_BOMB = {
    workersLost: 3,
    bomb: {
      state: "dead",
      deadReason: "poison",
      recoveries: 3,
      lastError: expect.stringMatching(/^poison: it lost 3 workers, the last was worker \d+$/) as string,
    },
    states: new Set(["completed"]),
    mostLosses: 2,
  };

  it("W12, G9: a job that bursts the heap of every worker is dead as poison after the third loss; what ran or waited beside it is completed", async () => {
    expect(await bombAmongOthers("pod-1")).toMatchObject(ONLY_THE_BOMB);
    const [next] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", next);
  });

  it("W12, G9: so it is when two workers share the queue", async () => {
    expect(await bombAmongOthers("pod-1", "pod-2")).toMatchObject(ONLY_THE_BOMB);
  });

  it("G9: jobs in their last chance run one after the other, alone, and others between them", async () => {
    const chances = await stage.enqueue(...Array.from({ length: 3 }, () => ({ kind: "sleep", payload: { ms: 300 } })));
    await stage.database.query("update jobqueue.jobs set recoveries = 2");
    const others = await stage.enqueue(...Array.from({ length: 400 }, () => ({ kind: "sleep", payload: { ms: 100 } })));
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "4" } });
    await stage.ended([...chances, ...others]);
    // Claimed and finished: what is between them is in the hands of the worker.
    const runs = await stage.database.query<{ id: string; beside: number; before: number }>(
      `select a.id::text, (select count(*) from jobqueue.job_history b where b.id <> a.id and b.claimed_at < a.finished_at
           and b.finished_at > a.claimed_at)::int as beside,
         (select count(*) from jobqueue.job_history b where b.finished_at <= a.claimed_at and b.id <> all($1::bigint[]))::int as before
       from jobqueue.job_history a where a.id = any($1::bigint[]) order by a.finished_at`,
      [chances],
    );
    expect(runs.map(({ id }) => id)).toEqual(chances);
    expect(runs.map(({ beside }) => beside)).toEqual([0, 0, 0]);
    const before = runs.map((run) => run.before);
    expect(before[0]).toBe(0);
    expect(before[1]).toBeGreaterThan(0);
    expect(before[2]).toBeGreaterThan(before[1] ?? 0);
    expect(worker.entries("one more lost worker makes this job dead: it runs alone here")).toHaveLength(3);
    const [row] = await stage.database.query("select max(attempt) as attempts from jobqueue.job_history");
    expect(row, "what was given back lost nothing").toEqual({ attempts: 1 });
  });

  it("G9: a worker that is busy comes to a job in its last chance when what runs has ended, and to no other sooner", async () => {
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "4" } });
    await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const chance = await stage.database.transaction(async (session) => {
      const { id } = await enqueue(session, {
        queue: "default",
        kind: "stubborn",
        payload: { file: stage.path("go on") },
      });
      await session.query("update jobqueue.jobs set recoveries = 2 where id = $1", [id]);
      return id;
    });
    // It saw it, gave it back, and waits.
    await eventually(
      "it to be given back",
      async () => (await worker.metric('jobqueue_worker_jobs_unstarted_total{reason="last_chance"}')) ?? undefined,
    );
    // The patience for what runs has an end: others have their turn.
    const [other] = await stage.enqueue({ kind: "quick" });
    await stage.jobIn("completed", other);
    expect(worker.entries("started")).toHaveLength(1);
    stage.touch("go");
    await worker.logged("started", 2);
    const [later] = await stage.enqueue({ kind: "quick" });
    expect((await getJob(stage.database, later ?? ""))?.state).toBe("pending");
    stage.touch("go on");
    await stage.jobIn("completed", later);
    const [order] = await stage.database.query(
      `select a.finished_at <= b.claimed_at as alone from jobqueue.job_history a, jobqueue.job_history b
       where a.id = $1 and b.id = $2`,
      [chance, later],
    );
    expect(order).toEqual({ alone: true });
  });

  it("W7, G9: a job in its last chance that ignores its abort ends with its worker, which has nothing else to lose", async () => {
    const [id = ""] = await stage.enqueue({
      kind: "stubborn",
      payload: { file: stage.path("never") },
      timeoutSeconds: 1,
      maxAttempts: 1,
    });
    await stage.database.query("update jobqueue.jobs set recoveries = 2");
    const worker = await stage.worker({ env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "4" } });
    expect(await worker.exited).toMatchObject({ code: 70 });
    expect(worker.stderr).toContain("a job in its last chance ignored its abort signal");
    expect(await getJob(stage.database, id)).toMatchObject({ state: "dead", deadReason: "attempts", recoveries: 2 });
  });

  it("W14: two processes with the same environment are two workers: neither keeps the other's lease", async () => {
    const env = { POD_NAME: "clone", POD_NAMESPACE: "default", NODE_NAME: "node" };
    const first = await stage.worker({ env });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await first.logged("started");
    const second = await stage.worker({ env: { ...env, ...LONG_LEASE } });
    await second.logged("registered"); // a worker starts with or without its store
    const workers = await listWorkers(stage.database);
    expect(workers.map(({ pod, isLive }) => ({ pod, isLive }))).toEqual([
      { pod: "clone", isLive: true },
      { pod: "clone", isLive: true },
    ]);
    expect(new Set(workers.map(({ bootId }) => bootId)).size).toBe(2);
    first.signal("SIGSTOP");
    await second.logged("started");
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ recoveries: 1, result: { pid: second.pid } });
  });

  it("a worker that the store takes for gone aborts its handlers and registers anew", async () => {
    const worker = await stage.worker({ env: LONG_LEASE });
    const [id] = await stage.enqueue({ kind: "wait", payload: { file: stage.path("go") } });
    await worker.logged("started");
    const { workerId } = await worker.logged("registered");
    await deregisterWorker(stage.database, String(workerId));
    await worker.logged("aborted");
    await worker.logged("registered", 2);
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ recoveries: 1, attempt: 1 });
    expect(await worker.metric('jobqueue_worker_leases_lost_total{reason="store_said_so"}')).toBe(1);
  });
});

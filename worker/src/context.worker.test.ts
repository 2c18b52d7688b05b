import { cancelJob, getJob } from "@jobqueue/store";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const ENV = { ...LONG_LEASE, JOBQUEUE_ABORT_GRACE_SECONDS: "10" };

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
  });
  afterEach(async () => {
    await stage.end();
  });

  it("progress is written at once, then seldom, the last value wins, and it is there at the end", async () => {
    const worker = await stage.worker({ env: ENV });
    const values = Array.from({ length: 1_000 }, (_, page) => ({ page }));
    const [id] = await stage.enqueue({ kind: "report", payload: { values, file: stage.path("go") } });
    await worker.logged("started");
    const progress = async (): Promise<unknown> => (await getJob(stage.database, id ?? ""))?.progress;
    await eventually(
      "the last of many values",
      async () => JSON.stringify(await progress()) === '{"page":999}' || undefined,
    );
    stage.touch("go");
    expect((await stage.jobIn("completed", id)).progress).toBe("the last");
  });

  it("a snoozed job runs again later with no attempt spent, and what its handler returned is not kept", async () => {
    const worker = await stage.worker({ env: ENV });
    const [id] = await stage.enqueue({ kind: "snooze-once", payload: { seconds: 0.5, first: stage.path("first") } });
    expect(await stage.jobIn("completed", id)).toMatchObject({
      attempt: 1,
      recoveries: 0,
      result: "awake",
      lastError: null,
    });
    expect(
      await worker.metric('jobqueue_worker_jobs_finished_total{queue="default",kind="snooze-once",outcome="snoozed"}'),
    ).toBe(1);
  });

  it("a permanent failure makes the job dead at once, whatever attempts are left", async () => {
    await stage.worker({ env: ENV });
    const [id] = await stage.enqueue({ kind: "permanent", maxAttempts: 5 });
    const job = await stage.jobIn("dead", id);
    expect(job.attempt).toBe(1);
    expect(job.lastError).toMatch(/^PermanentError: no such customer/);
  });

  it("jobs that a handler enqueues continue its trace, and its deadline is there to plan with", async () => {
    await stage.worker({ env: ENV });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const [id] = await stage.enqueue({ kind: "parent", traceparent, timeoutSeconds: 60 });
    const { result } = await stage.jobIn("completed", id);
    const { child, secondsLeft } = result as { child: string; secondsLeft: number };
    expect(result).toMatchObject({ traceparent });
    expect(secondsLeft).toBeGreaterThan(50);
    expect(secondsLeft).toBeLessThanOrEqual(60);
    expect((await stage.jobIn("completed", child)).result).toEqual({ traceparent });
  });

  it("a handler whose job is cancelled is told so, and when it stops the job is cancelled, with no attempt spent on it", async () => {
    const worker = await stage.worker({ env: ENV });
    const [id = ""] = await stage.enqueue({ kind: "cancellable", payload: { file: stage.path("never") } });
    await worker.logged("started");
    const act = { actor: "alice", reason: "ordered twice" };
    expect(await cancelJob(stage.database, id, act)).toBe("requested");
    expect(await worker.logged("asked to stop")).toMatchObject({
      cancelled: true,
      reason: "the job was cancelled: ordered twice",
    });
    expect(await stage.jobIn("cancelled", id)).toMatchObject({ lastError: "cancelled by alice: ordered twice" });
    expect(
      await worker.metric(
        'jobqueue_worker_jobs_finished_total{queue="default",kind="cancellable",outcome="cancelled"}',
      ),
    ).toBe(1);
  });

  it("a cancellation arrives with the heartbeat where hints do not", async () => {
    const worker = await stage.worker();
    const [id] = await stage.enqueue({ kind: "cancellable", payload: { file: stage.path("never") } });
    await worker.logged("started");
    // What cancel_job writes, without the hint it sends.
    await stage.database.query(
      "insert into jobqueue.cancel_requests (job_id, lease_token, worker_id, actor, reason) select id, lease_token, worker_id, 'alice', 'why' from jobqueue.jobs where id = $1",
      [id],
    );
    await worker.logged("asked to stop");
    expect(await stage.jobIn("cancelled", id)).toMatchObject({ lastError: "cancelled by alice: why" });
  });

  it("a handler that finishes although its job was cancelled has finished it", async () => {
    const worker = await stage.worker({ env: ENV });
    const [id = ""] = await stage.enqueue({ kind: "stubborn", payload: { file: stage.path("go") } });
    await worker.logged("started");
    await cancelJob(stage.database, id, { actor: "alice", reason: "too late" });
    await worker.logged("a running job is cancelled: its handler is asked to stop");
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ result: { pid: worker.pid } });
  });

  it("what a program leaves behind is in its run record: process, user and exit code", async () => {
    const manifest = stage.write(
      "handlers.yaml",
      `handlers:
  ok: { command: [sh, -c, "echo $$"] }
  bad: { command: [sh, -c, "echo because >&2; exit 42"] }
  hopeless: { command: [sh, -c, "exit 65"], permanentExitCodes: [65] }
  slow: { command: [sh, -c, "while ! [ -e ../go ] && ! [ -e go ]; do sleep 0.05; done"] }
`,
    );
    const worker = await stage.worker({ handlers: manifest, env: ENV });
    const [ok, bad, hopeless, slow] = await stage.enqueue(
      { kind: "ok" },
      { kind: "bad", maxAttempts: 1 },
      { kind: "hopeless", maxAttempts: 5 },
      { kind: "slow" },
    );
    expect(await stage.jobIn("completed", ok)).toMatchObject({ exitCode: 0 });
    expect(await stage.jobIn("dead", bad)).toMatchObject({ exitCode: 42, lastError: "exit code 42: because" });
    expect(await stage.jobIn("dead", hopeless)).toMatchObject({ exitCode: 65, attempt: 1 });
    const run = await eventually("the process of the slow one to be recorded", async () => {
      const [row] = await stage.database.query<{ pid: string | null; ppid: string | null }>(
        "select pid, ppid from jobqueue.v_runs where job_id = $1",
        [slow],
      );
      return row?.ppid === String(worker.pid) ? row : undefined;
    });
    expect(run.pid).not.toBe(String(worker.pid));
    stage.touch("go");
    await stage.jobIn("completed", slow);
  });
});

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
    await stage.database.query("create table entries (name text)");
  });
  afterEach(async () => {
    await stage.end();
  });

  const entries = async (): Promise<unknown[]> => stage.database.query("select name from entries order by name");

  it("G7: a handler's writes and the completion of its job commit together, once, also when it throws afterwards", async () => {
    const worker = await stage.worker({ env: ENV });
    const ids = await stage.enqueue(
      { kind: "record", payload: { name: "a" } },
      { kind: "record", payload: { name: "b", next: "throw after commit" } },
    );
    const jobs = await Promise.all(ids.map(async (id) => stage.jobIn("completed", id)));
    expect(jobs.map((job) => [job.result, job.lastError])).toEqual([
      [{ entry: "a" }, null],
      [{ entry: "b" }, null],
    ]);
    expect(await entries()).toEqual([{ name: "a" }, { name: "b" }]);
    await eventually("both to be counted", async () =>
      (await worker.metric(
        'jobqueue_worker_jobs_finished_total{queue="default",kind="record",outcome="completed"}',
      )) === 2
        ? true
        : undefined,
    );
    expect(worker.entries("outcomes dropped: lease lost")).toEqual([]);
  });

  it("G7: when the transaction rolls back the job is not completed, and a handler that says nothing of it has failed", async () => {
    await stage.worker({ env: ENV });
    const [id] = await stage.enqueue({ kind: "record", payload: { name: "a", next: "roll back" }, maxAttempts: 1 });
    const job = await stage.jobIn("dead", id);
    expect(job.lastError).toContain("completed the job in a transaction that was not committed when it returned");
    expect(await entries()).toEqual([]);
  });

  it("G5, G7: a worker that was stopped past its lease commits nothing: LeaseLostError rolls its transaction back", async () => {
    const zombie = await stage.worker();
    const [id] = await stage.enqueue({ kind: "record", payload: { name: "a", file: stage.path("go") } });
    await stage.jobIn("running", id);
    // Stopped before, it would find on waking that connecting had taken too long.
    await eventually("its handler to be in its transaction", async () => {
      const open = await stage.database.query(
        "select from pg_stat_activity where datname = current_database() and application_name = 'handler' and state = 'idle in transaction'",
      );
      return open.length === 1 ? true : undefined;
    });
    zombie.signal("SIGSTOP");
    const heir = await stage.worker({ env: LONG_LEASE });
    const recovered = await eventually("its job to be the heir's", async () => {
      const job = await getJob(stage.database, id ?? "");
      return job?.state === "running" && job.recoveries === 1 ? job : undefined;
    });
    zombie.signal("SIGCONT");
    await zombie.logged("the lease is lost: handlers are aborted");
    stage.touch("go");
    expect(await stage.jobIn("completed", id)).toMatchObject({ leaseToken: recovered.leaseToken, recoveries: 1 });
    expect(await zombie.logged("rolled back")).toMatchObject({ error: "LeaseLostError" });
    expect(await entries()).toEqual([{ name: "a" }]);
    expect(heir.entries("rolled back")).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { JOB_STATE_NAMES, type JobState } from "../job-state.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { heartbeat } from "../workers/heartbeat.ts";
import { deregisterWorker, registerWorker } from "../workers/register-worker.ts";
import { cancelJob, retryJob } from "./act-on-job.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue, type NewJob } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { getJob, listJobs } from "./read-jobs.ts";
import { recordProcess } from "./record-process.ts";
import { recoverStale } from "./recover-stale.ts";

const act = { actor: "a", reason: "r" };

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());
  beforeEach(async () => store.clear());

  const worker = async (): Promise<string> =>
    registerWorker(store.database, {
      bootId: crypto.randomUUID(),
      pod: "high-7",
      node: "node-1",
      hostname: "box",
      pid: 7,
      ppid: 1,
      image: "img:1",
      runAs: "app",
      cluster: "prod",
    });
  async function run(workerId: string, more: Partial<NewJob> = {}) {
    const { id } = await enqueue(store.database, { queue: "q", kind: "render", ...more });
    const [job] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
    if (job?.id !== id) throw new Error("claimed another job");
    return job;
  }

  describe("v_runs: the fields of get_jobs", () => {
    const runs = async () =>
      store.database.query<{ job_id: string; status: number; last_heartbeat_time: Date | null; end_time: Date | null }>(
        "select * from jobqueue.v_runs order by job_id, generation",
      );

    it("have the names and types of the source, and job_id and generation of ours", async () => {
      const columns = await store.database.query<{ name: string; type: string }>(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = 'jobqueue.v_runs'::regclass and attnum > 0 order by attnum`,
      );
      const text = ["id", "ppid", "pid", "key", "remote_id", "app_id", "variant_id", "bundle_id"];
      const times = ["start_time", "end_time", "last_heartbeat_time", "queued_time"];
      expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
        ...text.map((name) => `${name} text`),
        ...times.map((name) => `${name} timestamp with time zone`),
        "queue_name text",
        "tag text",
        "exit_code integer",
        "status integer",
        ...["hostname", "cluster", "image", "run_as"].map((name) => `${name} text`),
        "job_id bigint",
        "generation integer",
      ]);
    });

    it("are those of the worker where the run recorded none, and of the process where it did", async () => {
      const workerId = await worker();
      const labels = { key: "K", remote_id: "R", app_id: "A", variant_id: "V", bundle_id: "B" };
      const [plain, process] = [await run(workerId), await run(workerId, { labels, tag: "render_report" })];
      await recordProcess(store.database, process, { pid: 4242, ppid: 7, runAs: "rstudio" });
      expect(await runs()).toMatchObject([
        {
          id: plain.id,
          pid: "7",
          ppid: "1",
          run_as: "app",
          key: `${plain.id}.1`,
          remote_id: "high-7",
          app_id: null,
          tag: "render",
          hostname: "node-1",
          cluster: "prod",
          image: "img:1",
          queue_name: "q",
          status: 0,
          exit_code: null,
          end_time: null,
          generation: 1,
        },
        { ...labels, id: process.id, pid: "4242", ppid: "7", run_as: "rstudio", tag: "render_report" },
      ]);
    });

    it("status is 0 while it is live, 1 when it has ended, and 2 once its finaliser has completed", async () => {
      const workerId = await worker();
      const status = async (id: string) => (await runs()).find((row) => row.job_id === id)?.status;
      const { id: pending } = await enqueue(store.database, { queue: "later", kind: "k" });
      const failed = await run(workerId);
      await fail(store.database, [{ ...failed, error: "no", exitCode: 3 }]);
      const job = await run(workerId, { finaliser: { kind: "clean" } });
      expect([await status(pending), await status(failed.id), await status(job.id)]).toEqual([0, 0, 0]);
      await complete(store.database, [job]);
      expect(await status(job.id)).toBe(1);
      const [finaliser] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
      expect(finaliser?.kind).toBe("clean");
      expect(await status(job.id)).toBe(1);
      await complete(store.database, finaliser ? [finaliser] : []);
      expect(await status(job.id)).toBe(2);
      expect(await status(finaliser?.id ?? "")).toBe(1);
    });

    it("exit_code is there only when the run has ended; each generation is a run of its own", async () => {
      const workerId = await worker();
      const job = await run(workerId, { maxAttempts: 1 });
      await fail(store.database, [{ ...job, error: "no", exitCode: 3 }]);
      await retryJob(store.database, job.id, act);
      expect(await runs()).toMatchObject([
        { id: job.id, generation: 1, exit_code: 3, status: 1 },
        { id: `${job.id}.2`, generation: 2, exit_code: null, status: 0, start_time: null },
      ]);
      const [again] = await claim(store.database, { workerId, queues: ["q"], max: 1 });
      await complete(store.database, again ? [again] : []);
      expect((await runs())[1]).toMatchObject({ exit_code: 0, status: 1 });
    });

    it("last_heartbeat_time goes on while it runs, and stays when it has ended", async () => {
      const workerId = await worker();
      const job = await run(workerId);
      await heartbeat(store.database, workerId);
      const [running] = await runs();
      expect(running?.last_heartbeat_time).not.toBeNull();
      await complete(store.database, [job]);
      await heartbeat(store.database, workerId);
      const [ended] = await runs();
      expect(Number(ended?.last_heartbeat_time)).toBeLessThanOrEqual(Number(ended?.end_time));
    });
  });

  describe("v_jobs tells a person what can be done", () => {
    const see = async (id: string) => {
      const job = await getJob(store.database, id);
      return [job?.state, job?.isStale, job?.canRetry, job?.recoveryHint ?? ""] as const;
    };

    it("about a running job: nothing while its worker lives, recovery when it does not", async () => {
      const workerId = await worker();
      const job = await run(workerId, { timeoutSeconds: 1 });
      expect(await see(job.id)).toEqual(["running", false, false, "Nothing to do: a live worker runs it."]);
      const seen = await getJob(store.database, job.id);
      expect(seen?.lockedBy).toBe(`high-7/${workerId}`);
      const [due] = await store.database.query<{ until: Date }>(
        "select least(w.lease_until, j.deadline) as until from jobqueue.jobs j join jobqueue.workers w on w.id = j.worker_id",
      );
      expect(seen?.lockedUntil).toEqual(due?.until);
      await store.lapse(workerId);
      expect((await see(job.id)).slice(0, 3)).toEqual(["running", true, false]);
      expect((await see(job.id))[3]).toMatch(/^Its worker fell silent: sweeps hand it on within seconds/);
      await deregisterWorker(store.database, workerId);
      expect((await see(job.id))[3]).toMatch(/^Its worker is gone/);
      await store.database.query("update jobqueue.jobs set deadline = clock_timestamp()");
      expect((await see(job.id))[3]).toMatch(/^It should have ended at its deadline/);
      await store.database.query("delete from jobqueue.workers");
      await store.database.query("update jobqueue.jobs set deadline = null");
      expect((await see(job.id))[3]).toMatch(/^Its worker is unknown/);
    });

    it.each([
      ["failed", {}, async (id: string) => id, true, /^It waits for its next attempt; retry starts it at once/],
      ["dead", { permanent: true }, async (id: string) => id, true, /^Its handler said that trying again is useless/],
    ] as const)("about a job that %s", async (state, how, _, canRetry, hint) => {
      const job = await run(await worker());
      await fail(store.database, [{ ...job, error: "no", ...how }]);
      const seen = await see(job.id);
      expect(seen.slice(0, 3)).toEqual([state, false, canRetry]);
      expect(seen[3]).toMatch(hint);
    });

    it("about a job that recovery holds", async () => {
      const workerId = await worker();
      const job = await run(workerId);
      await store.lapse(workerId);
      await recoverStale(store.database, { policy: "hold" });
      const seen = await see(job.id);
      expect(seen.slice(0, 3)).toEqual(["deferred", false, true]);
      expect(seen[3]).toMatch(/then retry or cancel it/);
    });

    it("about a job that waits for another", async () => {
      const { id: first } = await enqueue(store.database, { queue: "q", kind: "k" });
      const { id } = await enqueue(store.database, { queue: "q", kind: "k", dependsOn: [first] });
      const seen = await see(id);
      expect(seen.slice(0, 3)).toEqual(["deferred", false, false]);
      expect(seen[3]).toMatch(/^Nothing to do: it starts when the jobs it depends on have ended/);
    });

    it("and says nothing about what needs nothing", async () => {
      const { id } = await enqueue(store.database, { queue: "q", kind: "k" });
      expect(await see(id)).toEqual(["pending", false, false, ""]);
      await cancelJob(store.database, id, act);
      expect(await see(id)).toEqual(["cancelled", false, false, ""]);
    });
  });

  it("every state can be asked for", async () => {
    for (const state of JOB_STATE_NAMES) expect(await listJobs(store.database, { state })).toEqual([]);
  });
});

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  describe("a list by state among many jobs", () => {
    // One of each state that is rare, among 100,000 pending and 100,000 completed ones; ten times as many change nothing but
    // the time this test takes.
    beforeAll(async () => {
      await store.database.query(
        `insert into jobqueue.jobs (queue, kind, payload, created_at) select 'many', 'k', '{}', clock_timestamp() from generate_series(1, 100000)`,
      );
      await store.database.query(
        `insert into jobqueue.job_history (id, queue, kind, state, priority, attempt, max_attempts, recoveries, created_at, run_at, finished_at, payload)
         select -i, 'many', 'k', 10, 0, 1, 5, 0, now(), now(), now(), '{}' from generate_series(1, 100000) i`,
      );
      await store.database.query("vacuum analyze jobqueue.jobs");
      await store.database.query("analyze jobqueue.job_history");
    });

    it.each(["failed", "scheduled", "deferred", "running", "cancelled", "dead"] as const satisfies readonly JobState[])(
      "%s, of which there are none, walks over no others, nor in a queue of many",
      async (state) => {
        const touched = await store.connect().transaction(async (session) => {
          expect(await listJobs(session, { state })).toEqual([]);
          expect(await listJobs(session, { state, queue: "many" })).toEqual([]);
          return session.query<{ rows: string }>(
            `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as rows from pg_stat_xact_user_tables
             where schemaname = 'jobqueue' and (relname = 'jobs' or relname like 'job_history%')`,
          );
        });
        expect(Number(touched[0]?.rows)).toBeLessThan(1000);
      },
    );

    it.each([{}, { state: "pending" }, { state: "completed" }, { queue: "many" }] as const)(
      "a page of %j reads about a page",
      async (filter) => {
        const touched = await store.connect().transaction(async (session) => {
          expect(await listJobs(session, { ...filter, limit: 50 })).toHaveLength(50);
          return session.query<{ rows: string }>(
            `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as rows from pg_stat_xact_user_tables
             where schemaname = 'jobqueue' and (relname = 'jobs' or relname like 'job_history%')`,
          );
        });
        expect(Number(touched[0]?.rows)).toBeLessThan(1000);
      },
    );
  });
});

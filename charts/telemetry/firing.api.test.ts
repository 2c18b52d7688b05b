/**
 * Every alert fired by its cause: real processes are brought into the state that the alert is about, what they say on /metrics is
 * scraped before and after, and promtool goes through that with the rules of the chart as they stand. Only the hours between are
 * not waited for: the scrapes are repeated for promtool. Two causes take hours by themselves and are made by moving a time: the
 * claim of a job that runs too long in its row, holds and prepared transactions by the clock of their server.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  deregisterWorker,
  enqueueMany,
  fireDueSchedules,
  hold,
  listWorkers,
  putSchedule,
  recoverStale,
  release,
  type Database,
} from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { AdminUnderTest } from "../../admin/src/testing/admin-under-test.ts";
import { loadAccess } from "../../operator/src/kube/index.ts";
import { about, FaultProxy } from "../../operator/src/kube/testing/fault-proxy.ts";
import type { Operator } from "../../operator/src/main.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../../operator/src/testing/cluster-under-test.ts";
import { eventually } from "../../test/support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../test/support/postgres/database.ts";
import { PostgresServer } from "../../test/support/postgres/server.ts";
import { WorkerProcess } from "../../worker/src/testing/worker-process.ts";
import { checkRules, surprises, surprisesInSilence, RULES } from "../testing/promtool.ts";
import { type Scrape, scrape, valuesOf } from "../testing/scrape.ts";
import { render } from "../testing/helm.ts";
import { ALERT_GROUPS } from "./alerts.ts";

const [adminUrl = ""] = Object.values(inject("postgres")).slice(-1);
const NOTHING: Scrape = new Map();
const DAY_AND_HOUR = 90_000;

let cluster: ClusterUnderTest;
let database: TestDatabase;
let store: Database;
let operator: Operator;
const processes: WorkerProcess[] = [];

const targetOf = (pod: string) => ({ job: "jobqueue-operator-metrics", namespace: "jobqueue-system", pod });
const ofOperator = async (one: Operator = operator, pod = "operator-0"): Promise<Scrape> =>
  scrape(`http://127.0.0.1:${one.httpPort}/metrics`, targetOf(pod));

/** Scrapes the operator until a metric of the object of a name has a value that is looked for. */
async function operatorSays(
  metric: string,
  labels: Readonly<Record<string, string>>,
  looks: (value: number) => boolean,
  one: Operator = operator,
): Promise<Scrape> {
  return eventually(`${metric} of ${JSON.stringify(labels)}`, async () => {
    const seen = await ofOperator(one);
    return valuesOf(seen, metric, labels).some(looks) ? seen : undefined;
  });
}

const isOne = (value: number): boolean => value === 1;
const isZero = (value: number): boolean => value === 0;

async function worker(queues: string, env: Readonly<Record<string, string>> = {}): Promise<WorkerProcess> {
  const process = new WorkerProcess({ databaseUrl: database.url, queues, env });
  processes.push(process);
  await eventually("the worker to start", async () => process.entries("worker started")[0], { timeoutMs: 90_000 });
  return process;
}

async function ofWorker(process: WorkerProcess, pod: string): Promise<Scrape> {
  const { port } = await process.logged("worker started");
  const target = { job: "shop/workers", namespace: cluster.namespace, pod };
  return scrape(`http://127.0.0.1:${String(port)}/metrics`, target);
}

beforeAll(async () => {
  cluster = await ClusterUnderTest.create("alerts");
  database = await createTestDatabase(adminUrl);
  store = openStore(database.url);
  await cluster.secret("default", database.url);
  await cluster.jobStore("default");
  operator = await cluster.operator();
  await cluster.condition("jobstores/default", "Ready", "True");
});

afterAll(async () => {
  await cluster.stop();
  for (const process of processes) process.signal("SIGKILL");
  await Promise.all(processes.map(({ exited }) => exited));
  await store.close();
  await database.drop();
});

describe("the rules", () => {
  it("are taken by promtool, with every template in them", async () => {
    const count = ALERT_GROUPS.reduce((sum, { alerts }) => sum + alerts.length, 0);
    expect(await checkRules(RULES)).toContain(`SUCCESS: ${count} rules found`);
  });

  it("are taken by promtool as the chart makes a PrometheusRule of them", async () => {
    const { parseAllDocuments } = await import("yaml");
    const manifests = parseAllDocuments(await render({ metrics: { prometheusRule: { enabled: true } } }));
    const rule = manifests
      .map((one) => one.toJS() as { kind?: string; spec?: object } | null)
      .find((one) => one?.kind === "PrometheusRule");
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-rules-"));
    try {
      const file = join(directory, "rules.json");
      writeFileSync(file, JSON.stringify(rule?.spec));
      expect(await checkRules(file)).toContain("SUCCESS");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe("alerts about queues", () => {
  const me = (name: string) => ({ namespace: cluster.namespace, name });

  it("QueueBacklogGrowing and BacklogBeyondObjective: jobs arrive and nobody takes them; both end when they are gone", async () => {
    await cluster.jobQueue("backlog", { objectives: { pending: 20 } });
    const before = await operatorSays("jobqueue_jobs", { name: "backlog", state: "pending" }, isZero);
    await cluster.condition("jobqueues/backlog", "BacklogWithinTarget", "True");
    await enqueueMany(
      store,
      Array.from({ length: 150 }, () => ({ queue: "backlog", kind: "mail" })),
    );
    await cluster.condition("jobqueues/backlog", "BacklogWithinTarget", "False", "TooManyPending");
    const cause = await operatorSays(
      "jobqueue_condition",
      { name: "backlog", type: "BacklogWithinTarget", status: "False" },
      isOne,
    );
    expect(valuesOf(cause, "jobqueue_jobs", { name: "backlog", state: "pending" })).toEqual([150]);
    await store.query("delete from jobqueue.jobs where queue = 'backlog'");
    await cluster.condition("jobqueues/backlog", "BacklogWithinTarget", "True");
    const after = await operatorSays("jobqueue_jobs", { name: "backlog", state: "pending" }, isZero);
    expect(
      await surprises("QueueBacklogGrowing", me("backlog"), [
        { minutes: 90, seen: before, fires: false },
        { minutes: 20, seen: cause, fires: false }, // a burst of twenty minutes is none
        { minutes: 20, seen: cause, fires: true },
        { minutes: 20, seen: after, fires: false },
      ]),
    ).toBe("");
    expect(
      await surprises("BacklogBeyondObjective", me("backlog"), [
        { minutes: 10, seen: before, fires: false },
        { minutes: 10, seen: cause, fires: true },
        { minutes: 5, seen: after, fires: false },
      ]),
    ).toBe("");
  });

  it("DeadLetters and HandlersFail: every attempt of a kind fails, and the jobs die", async () => {
    await cluster.jobQueue("failing", {});
    const before = await operatorSays("jobqueue_jobs", { name: "failing", state: "dead" }, isZero);
    const process = await worker("failing");
    const fail = async (count: number): Promise<Scrape> => {
      const failed = 'jobqueue_worker_jobs_finished_total{queue="failing",kind="throw",outcome="failed"}';
      const wanted = ((await process.metric(failed)) ?? 0) + count;
      await enqueueMany(
        store,
        Array.from({ length: count }, () => ({ queue: "failing", kind: "throw", maxAttempts: 1 })),
      );
      await eventually("the attempts to fail", async () =>
        (await process.metric(failed)) === wanted ? true : undefined,
      );
      return ofWorker(process, "failing-1");
    };
    const some = await fail(3);
    const many = await fail(20);
    const cause = await operatorSays("jobqueue_jobs", { name: "failing", state: "dead" }, (dead) => dead === 23);
    await process.kill();
    expect(
      await surprises("HandlersFail", { namespace: cluster.namespace, queue: "failing", kind: "throw" }, [
        { minutes: 30, seen: some, fires: false },
        { minutes: 13, seen: many, fires: true },
        { minutes: 20, seen: many, fires: false }, // none fails any more
      ]),
    ).toBe("");
    expect(
      await surprises("DeadLetters", me("failing"), [
        { minutes: 30, seen: before, fires: false },
        { minutes: 30, seen: cause, fires: true },
        { minutes: 60, seen: cause, fires: false },
      ]),
    ).toBe("");
  });

  it("DeadLetters: jobs that die while the leader changes are told by the next one", async () => {
    const before = await operatorSays("jobqueue_jobs", { name: "failing", state: "dead" }, (dead) => dead > 0);
    const fewer = new Map(
      [...before].map(([series, value]) => [series, series.includes('"dead"') ? value - 1 : value]),
    );
    const next = new Map([...before].map(([series, value]) => [series.replaceAll("operator-0", "operator-1"), value]));
    expect(
      await surprises("DeadLetters", me("failing"), [
        { minutes: 30, seen: fewer, fires: false },
        { minutes: 2, seen: NOTHING, fires: false },
        { minutes: 10, seen: next, fires: true },
      ]),
    ).toBe("");
  });

  it("ScheduleMissed: the operator was away, and leaves out what came due meanwhile as soon as it is back", async () => {
    const act = { actor: "test", reason: "test" };
    const own = await ClusterUnderTest.create("missed");
    const empty = await createTestDatabase(adminUrl);
    const session = openStore(empty.url);
    try {
      await own.secret("default", empty.url);
      await own.jobStore("default");
      const first = await own.operator({ identity: "first" });
      await own.condition("jobstores/default", "Ready", "True");
      const before = await ofOperator(first);
      expect(valuesOf(before, "jobqueue_schedule_ticks_total", { outcome: "skipped" })).toEqual([0]);
      await own.stopOne("first");
      const minutely = { name: "minutely", queue: "q", kind: "k", cron: "* * * * *", missedTicks: "skip" } as const;
      await putSchedule(session, minutely, act);
      await session.query(
        "update jobqueue.schedules set next_at = date_trunc('minute', clock_timestamp()) - interval '30 minutes'",
      );
      const second = await own.operator({ identity: "second" });
      const skipped = await eventually("ticks to be skipped", async () => {
        const seen = await ofOperator(second, "operator-1");
        return valuesOf(seen, "jobqueue_schedule_ticks_total", { outcome: "skipped" }).some((count) => count >= 28)
          ? seen
          : undefined;
      });
      expect(
        await surprises("ScheduleMissed", {}, [
          { minutes: 70, seen: before, fires: false },
          { minutes: 30, seen: NOTHING, fires: false },
          { minutes: 30, seen: skipped, fires: true }, // the first scrape of the new process already has the whole count
          { minutes: 40, seen: skipped, fires: false },
        ]),
      ).toBe("");
      await fireDueSchedules(session);
    } finally {
      await own.stop();
      await session.close();
      await empty.drop();
    }
  });
});

describe("alerts about time that has passed in the store", () => {
  let server: PostgresServer;
  let aged: Database;
  let before: Scrape;

  beforeAll(async () => {
    server = await PostgresServer.create(18, { max_prepared_transactions: "2" });
    server.setClock(-DAY_AND_HOUR);
    await server.restart();
    const { url } = await createTestDatabase(server.url());
    aged = openStore(url);
    await hold(aged, { queue: "forgotten", name: "ana", reason: "SMTP is down", actor: "ana", source: "cli" });
    const until = new Date(Date.now() + DAY_AND_HOUR * 1000);
    await hold(aged, { queue: "ending", name: "bob", reason: "migration", actor: "bob", source: "cli", until });
    await enqueueMany(
      aged,
      ["forgotten", "ending", "old"].map((queue) => ({ queue, kind: "mail" })),
    );
    await aged.transaction(async (session) => {
      await session.query("select count(*) from jobqueue.jobs");
      await session.query("prepare transaction 'forgotten'");
    });
    await aged.close();
    await server.stop();
    server.setClock(0);
    await server.start();
    aged = openStore(url);
    before = await ofOperator();
    await cluster.secret("aged", url);
    await cluster.jobStore("aged");
    for (const name of ["forgotten", "ending", "old"]) await cluster.jobQueue(name, { storeRef: { name: "aged" } });
  });
  afterAll(async () => {
    await aged.close();
    await cluster.api.delete(cluster.path("jobstores/aged"));
    await server.destroy();
  });

  it("QueuePausedAndForgotten: of a hold without an end, and not of one that ends by itself", async () => {
    const cause = await operatorSays(
      "jobqueue_paused_without_end_seconds",
      { name: "forgotten" },
      (held) => held > 86_400,
    );
    expect(valuesOf(cause, "jobqueue_paused_seconds", { name: "ending" })[0]).toBeGreaterThan(86_400);
    await release(aged, { queue: "forgotten", name: "ana", actor: "bob", reason: "the relay is back" });
    const after = await operatorSays("jobqueue_paused", { name: "forgotten" }, isZero);
    expect(
      await surprises("QueuePausedAndForgotten", { namespace: cluster.namespace, name: "forgotten" }, [
        { minutes: 5, seen: before, fires: false },
        { minutes: 1, seen: cause, fires: true },
        { minutes: 1, seen: after, fires: false },
      ]),
    ).toBe("");
    expect(
      await surprises("QueuePausedAndForgotten", { namespace: cluster.namespace, name: "ending" }, [
        { minutes: 5, seen: cause, fires: false },
      ]),
    ).toBe("");
  });

  it("OldestJobTooOld: nobody takes a job for a day; not of a queue that is paused", async () => {
    const cause = await operatorSays("jobqueue_oldest_pending_seconds", { name: "old" }, (age) => age > 900);
    expect(valuesOf(cause, "jobqueue_oldest_pending_seconds", { name: "ending" })[0]).toBeGreaterThan(900);
    await aged.query("delete from jobqueue.jobs where queue = 'old'");
    const after = await operatorSays("jobqueue_oldest_pending_seconds", { name: "old" }, isZero);
    expect(
      await surprises("OldestJobTooOld", { namespace: cluster.namespace, name: "old" }, [
        { minutes: 10, seen: before, fires: false },
        { minutes: 10, seen: cause, fires: true },
        { minutes: 2, seen: after, fires: false },
      ]),
    ).toBe("");
    expect(
      await surprises("OldestJobTooOld", { namespace: cluster.namespace, name: "ending" }, [
        { minutes: 20, seen: cause, fires: false },
      ]),
    ).toBe("");
  });

  it("OldSnapshot: a prepared transaction that everybody forgot", async () => {
    const cause = await operatorSays("jobqueue_store_old_snapshots", { name: "aged" }, isOne);
    await aged.query("rollback prepared 'forgotten'");
    const after = await operatorSays("jobqueue_store_old_snapshots", { name: "aged" }, isZero);
    expect(
      await surprises("OldSnapshot", { namespace: cluster.namespace, name: "aged" }, [
        { minutes: 30, seen: before, fires: false },
        { minutes: 25, seen: cause, fires: true },
        { minutes: 2, seen: after, fires: false },
      ]),
    ).toBe("");
  });

  it("NotVacuumed: autovacuum is switched off for a table, until it is on again", async () => {
    const told = { name: "aged", type: "Vacuumed" };
    const sound = await operatorSays("jobqueue_condition", { ...told, status: "True" }, isOne);
    await aged.query("alter table jobqueue.leases set (autovacuum_enabled = off)");
    const cause = await operatorSays("jobqueue_condition", { ...told, reason: "AutovacuumOff" }, isOne);
    await aged.query("alter table jobqueue.leases reset (autovacuum_enabled)");
    const after = await operatorSays("jobqueue_condition", { ...told, status: "True" }, isOne);
    const labels = { namespace: cluster.namespace, name: "aged", reason: "AutovacuumOff" };
    expect(
      await surprises("NotVacuumed", labels, [
        { minutes: 30, seen: sound, fires: false },
        { minutes: 20, seen: cause, fires: true },
        { minutes: 2, seen: after, fires: false },
      ]),
    ).toBe("");
  });

  it("StoreUnreachable: its Postgres is down, and comes back", async () => {
    const up = await operatorSays("jobqueue_store_up", { name: "aged" }, isOne);
    await server.stop();
    const down = await operatorSays("jobqueue_store_up", { name: "aged" }, isZero);
    await server.start();
    const back = await operatorSays("jobqueue_store_up", { name: "aged" }, isOne);
    expect(
      await surprises("StoreUnreachable", { namespace: cluster.namespace, name: "aged" }, [
        { minutes: 10, seen: up, fires: false },
        { minutes: 5, seen: down, fires: true },
        { minutes: 1, seen: back, fires: false },
      ]),
    ).toBe("");
  });
});

describe("alerts about workers", () => {
  const HEALTH = { heartbeatTimeoutSeconds: 15, startupGraceSeconds: 0, mode: "Report" };

  it("StaleJobs: a worker is killed, and its store leaves recovery to people", async () => {
    const other = await createTestDatabase(adminUrl);
    const session = openStore(other.url);
    const process = new WorkerProcess({
      databaseUrl: other.url,
      queues: "lost",
      env: { JOBQUEUE_LEASE_SECONDS: "5" },
    });
    processes.push(process);
    try {
      await cluster.secret("left", other.url);
      await cluster.jobStore("left", { staleLockRecovery: { mode: "Report" } });
      await cluster.jobQueue("lost", { storeRef: { name: "left" } });
      const before = await operatorSays("jobqueue_jobs", { name: "lost", state: "stale" }, isZero);
      await enqueueMany(session, [{ queue: "lost", kind: "wait", payload: { file: "/nonexistent" } }]);
      await operatorSays("jobqueue_jobs", { name: "lost", state: "running" }, isOne);
      await process.kill();
      const cause = await operatorSays("jobqueue_jobs", { name: "lost", state: "stale" }, isOne);
      expect(await recoverStale(session, { actor: "ana", reason: "the node is gone" })).toHaveLength(1);
      const after = await operatorSays("jobqueue_jobs", { name: "lost", state: "stale" }, isZero);
      expect(
        await surprises("StaleJobs", { namespace: cluster.namespace, name: "lost" }, [
          { minutes: 10, seen: before, fires: false },
          { minutes: 10, seen: cause, fires: true },
          { minutes: 1, seen: after, fires: false },
        ]),
      ).toBe("");
    } finally {
      await process.kill();
      await cluster.api.delete(cluster.path("jobqueues/lost"));
      await cluster.api.delete(cluster.path("jobstores/left"));
      await session.close();
      await other.drop();
    }
  });

  it("JobRunsTooLong: a job has been running for seven hours on a worker that is alive", async () => {
    const admin = await AdminUnderTest.start(adminUrl, ["--auth", "keys"]);
    const process = new WorkerProcess({
      databaseUrl: admin.store.url,
      queues: "imports",
      env: { POD_NODE: "node-7", NODE_NAME: "node-7", JOBQUEUE_LEASE_SECONDS: "30" },
    });
    processes.push(process);
    try {
      const headers = { authorization: `Bearer ${await admin.key("metrics:read")}` };
      const target = { job: "jobqueue-admin", namespace: "shop", pod: "jobqueue-admin-0" };
      const ofAdmin = async (looks: (seconds: readonly number[]) => boolean): Promise<Scrape> =>
        eventually("the job to be told", async () => {
          const seen = await scrape(`${admin.url}/metrics`, target, headers);
          return looks(valuesOf(seen, "jobqueue_queue_items_active_duration_seconds", { queue: "imports" }))
            ? seen
            : undefined;
        });
      await enqueueMany(admin.store.database, [{ queue: "imports", kind: "wait", payload: { file: "/nonexistent" } }]);
      const before = await ofAdmin(([seconds]) => seconds !== undefined && seconds < 21_600);
      await admin.store.database.query("update jobqueue.jobs set claimed_at = claimed_at - interval '7 hours'");
      const cause = await ofAdmin(([seconds]) => seconds !== undefined && seconds > 21_600);
      await process.kill();
      const [lost] = await listWorkers(admin.store.database);
      await deregisterWorker(admin.store.database, lost?.id ?? "");
      expect(await recoverStale(admin.store.database, { actor: "ana", reason: "stuck" })).toHaveLength(1);
      const after = await ofAdmin(([seconds]) => seconds === undefined);
      const series = [...cause.keys()].find((one) => one.startsWith("jobqueue_queue_items_active_duration")) ?? "";
      const hostname = /hostname="([^"]*)"/.exec(series)?.[1] ?? "";
      expect(hostname).not.toBe("");
      expect(
        await surprises("JobRunsTooLong", { queue: "imports", hostname }, [
          { minutes: 10, seen: before, fires: false },
          { minutes: 1, seen: cause, fires: true },
          { minutes: 1, seen: after, fires: false },
        ]),
      ).toBe("");
    } finally {
      await process.kill();
      await admin.close();
    }
  });

  it("NoWorkers: no pod of a pool gets ready while jobs wait; not while the queue is paused", async () => {
    const before = await ofOperator();
    await cluster.jobQueue("unserved", { workers: workersSpec() });
    await enqueueMany(store, [{ queue: "unserved", kind: "mail" }]);
    await operatorSays("jobqueue_jobs", { name: "unserved", state: "pending" }, isOne);
    const wanted = { name: "unserved", type: "WorkersAvailable", status: "False" };
    const cause = await operatorSays("jobqueue_condition", wanted, isOne);
    await hold(store, { queue: "unserved", name: "ana", reason: "x", actor: "ana", source: "cli" });
    const paused = await operatorSays("jobqueue_paused", { name: "unserved" }, isOne);
    await release(store, { queue: "unserved", name: "ana", actor: "ana", reason: "x" });
    await cluster.becomeReady("unserved", 1);
    await cluster.condition("jobqueues/unserved", "WorkersAvailable", "True");
    const after = await operatorSays("jobqueue_condition", { ...wanted, status: "True" }, isOne);
    expect(
      await surprises("NoWorkers", { namespace: cluster.namespace, name: "unserved" }, [
        { minutes: 10, seen: before, fires: false },
        { minutes: 10, seen: cause, fires: true },
        { minutes: 1, seen: paused, fires: false },
        { minutes: 1, seen: after, fires: false },
      ]),
    ).toBe("");
  });

  it("WorkersHung and RestartsSuspended: a worker is frozen, and the operator may only report", async () => {
    await cluster.jobQueue("told", { replicas: 1, workers: workersSpec({ health: HEALTH }) });
    const [pod] = await cluster.becomeReady("told", 1);
    const process = await worker("told", {
      POD_UID: pod?.metadata.uid ?? "",
      POD_NAME: pod?.metadata.name ?? "",
      POD_NAMESPACE: cluster.namespace,
      JOBQUEUE_POOL: `${cluster.namespace}/told`,
    });
    await cluster.condition("jobqueues/told", "Healthy", "True", "AllWorkersHealthy");
    const before = await ofOperator();
    process.signal("SIGSTOP");
    await cluster.condition("jobqueues/told", "RestartsSuspended", "True", "ReportOnly");
    const cause = await operatorSays(
      "jobqueue_condition",
      { name: "told", type: "RestartsSuspended", status: "True" },
      isOne,
    );
    process.signal("SIGCONT");
    await cluster.condition("jobqueues/told", "Healthy", "True", "AllWorkersHealthy");
    const after = await operatorSays("jobqueue_condition", { name: "told", type: "Healthy", status: "True" }, isOne);
    const me = { namespace: cluster.namespace, name: "told" };
    expect(
      await surprises("WorkersHung", me, [
        { minutes: 15, seen: before, fires: false },
        { minutes: 15, seen: cause, fires: true },
        { minutes: 1, seen: after, fires: false },
      ]),
    ).toBe("");
    expect(
      await surprises("RestartsSuspended", me, [
        { minutes: 15, seen: before, fires: false },
        { minutes: 20, seen: cause, fires: true },
        { minutes: 1, seen: after, fires: false },
      ]),
    ).toBe("");
  });

  it("LeasesLost: a worker that gets no processor time loses its lease three times", async () => {
    const process = await worker("starved", { JOBQUEUE_HUNG_AFTER_SECONDS: "600" });
    const lost = async (): Promise<number> => {
      const seen = await ofWorker(process, "starved-1");
      return valuesOf(seen, "jobqueue_worker_leases_lost_total").reduce((sum, one) => sum + one, 0);
    };
    const before = await ofWorker(process, "starved-1");
    for (const times of [1, 2, 3]) {
      process.signal("SIGSTOP");
      await eventually("its lease to be over", async () =>
        (await listWorkers(store)).some(({ queues, isLive }) => queues.includes("starved") && isLive)
          ? undefined
          : true,
      );
      process.signal("SIGCONT");
      await eventually(`lease ${times} to be lost`, async () => ((await lost()) >= times ? true : undefined));
      await eventually("another lease", async () =>
        (await listWorkers(store)).some(({ queues, isLive }) => queues.includes("starved") && isLive)
          ? true
          : undefined,
      );
    }
    const cause = await ofWorker(process, "starved-1");
    await process.kill();
    expect(
      await surprises("LeasesLost", { namespace: cluster.namespace, pod: "starved-1" }, [
        { minutes: 20, seen: before, fires: false },
        { minutes: 10, seen: cause, fires: true },
        { minutes: 10, seen: cause, fires: false },
      ]),
    ).toBe("");
  });

  it("JobQueueStalled: a JobStore names a Secret that is not there", async () => {
    const before = await ofOperator();
    await cluster.jobStore("nosecret");
    const stalled = { name: "nosecret", type: "Stalled", status: "True" };
    const cause = await operatorSays("jobqueue_condition", stalled, isOne);
    await cluster.secret("nosecret", database.url);
    await cluster.condition("jobstores/nosecret", "Ready", "True");
    const after = await operatorSays("jobqueue_condition", { name: "nosecret", type: "Ready", status: "True" }, isOne);
    expect(
      await surprises(
        "JobQueueStalled",
        { kind: "JobStore", namespace: cluster.namespace, name: "nosecret", reason: "SecretNotFound" },
        [
          { minutes: 10, seen: before, fires: false },
          { minutes: 10, seen: cause, fires: true },
          { minutes: 1, seen: after, fires: false },
        ],
      ),
    ).toBe("");
  });
});

describe("alerts about the operator", () => {
  let proxy: FaultProxy;
  let directory: string;
  let own: ClusterUnderTest;
  let behind: Operator;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "alerts-"));
    proxy = await FaultProxy.start(await loadAccess({ kubeconfig: inject("kubeconfig") }));
    own = await ClusterUnderTest.create("behind");
    behind = await own.operator({
      kubeconfig: await proxy.kubeconfig(join(directory, "kubeconfig")),
      reflectorTimes: { backoffBaseMs: 50, backoffMaxMs: 500, compareMs: 0 },
    });
    await eventually("it to lead", async () => (behind.leads ? true : undefined));
  });
  afterAll(async () => {
    await own.stop();
    await proxy.stop();
    rmSync(directory, { recursive: true });
  });

  it("WatchRepaired: a watch leaves a change out, and the comparison finds it", async () => {
    const before = await ofOperator(behind);
    const swallow = (line: string) => {
      const { type, object } = JSON.parse(line) as { type: string; object: { metadata: { name: string } } };
      return type !== "BOOKMARK" && object.metadata.name === "hidden" ? [] : [line];
    };
    proxy.add({ when: about({ verb: "watch", resource: "jobqueues" }), fault: { kind: "stream", fate: swallow } });
    proxy.resetConnections();
    await eventually("a watch that lies", async () =>
      proxy.requests.filter(({ watch, resource }) => watch && resource === "jobqueues").length > 1 ? true : undefined,
    );
    await own.jobQueue("hidden", {});
    await own.jobQueue("seen", {});
    const cause = await eventually(
      "the comparison to find it",
      async () => {
        proxy.resetConnections(); // a comparison is made when a watch begins
        const seen = await ofOperator(behind);
        return valuesOf(seen, "reflector_repaired_total").some((count) => count > 0) ? seen : undefined;
      },
      { everyMs: 2_000 },
    );
    proxy.clear();
    proxy.resetConnections();
    const [name = ""] = [...cause]
      .filter(([series, count]) => series.startsWith("reflector_repaired_total{") && count > 0)
      .map(([series]) => /,name="([^"]*)"/.exec(series)?.[1] ?? "");
    expect(
      await surprises("WatchRepaired", { name }, [
        { minutes: 60, seen: before, fires: false },
        { minutes: 60, seen: cause, fires: true },
        { minutes: 90, seen: cause, fires: false },
      ]),
    ).toBe("");
  });

  it("WatchStandsStill: the API server falls silent; the age grows by the second, and is drawn on for the five minutes", async () => {
    const before = await ofOperator(behind);
    proxy.add({ when: () => true, fault: { kind: "silence" } });
    proxy.resetConnections();
    const ages = (seen: Scrape) => valuesOf(seen, "reflector_progress_age_seconds", { pod: "operator-0" });
    const cause = await eventually("the age to grow", async () => {
      const seen = await ofOperator(behind);
      return Math.min(...ages(seen)) > 5 ? seen : undefined;
    });
    proxy.clear();
    proxy.resetConnections();
    const [name = ""] = [...cause.keys()]
      .filter((series) => series.startsWith("reflector_progress_age_seconds{"))
      .map((series) => /,name="([^"]*)"/.exec(series)?.[1] ?? "");
    expect(
      await surprises("WatchStandsStill", { namespace: "jobqueue-system", pod: "operator-0", name }, [
        { minutes: 10, seen: before, fires: false },
        { minutes: 12, seen: cause, growth: 60, fires: true },
        { minutes: 1, seen: before, fires: false },
      ]),
    ).toBe("");
  });

  it("NoLeader: the leader is gone, and who stands by does not take over; nor is anybody there at all", async () => {
    const standby = await own.operator({ identity: "standby" });
    const waits = await eventually("it to stand by", async () => {
      const seen = await ofOperator(standby, "operator-1");
      return valuesOf(seen, "leader_election_master_status").some(isZero) ? seen : undefined;
    });
    const leads = await eventually("the other to lead", async () => {
      const seen = await ofOperator(behind);
      return valuesOf(seen, "leader_election_master_status").some(isOne) ? seen : undefined;
    });
    expect(
      await surprises("NoLeader", {}, [
        { minutes: 10, seen: new Map([...leads, ...waits]), fires: false },
        { minutes: 5, seen: waits, fires: true },
        { minutes: 1, seen: new Map([...leads, ...waits]), fires: false },
        { minutes: 5, seen: NOTHING, fires: true },
      ]),
    ).toBe("");
  });

  it("nothing fires of an operator, a worker and an admin server that are sound and idle", async () => {
    const sound = await ClusterUnderTest.create("sound");
    const admin = await AdminUnderTest.start(adminUrl, ["--auth", "keys"]);
    const process = new WorkerProcess({ databaseUrl: admin.store.url, queues: "sound" });
    processes.push(process);
    try {
      await sound.secret("default", admin.store.url);
      await sound.jobStore("default");
      await sound.jobQueue("sound", {});
      const one = await sound.operator();
      await sound.condition("jobqueues/sound", "Ready", "True");
      await process.logged("worker started");
      await enqueueMany(admin.store.database, [{ queue: "sound", kind: "quick" }]);
      const done = 'jobqueue_worker_jobs_finished_total{queue="sound",kind="quick",outcome="completed"}';
      await eventually("the job to be done", async () => ((await process.metric(done)) === 1 ? true : undefined));
      const headers = { authorization: `Bearer ${await admin.key("metrics:read")}` };
      const seen = new Map([
        ...(await operatorSays("jobqueue_store_up", { name: "default" }, isOne, one)),
        ...(await ofWorker(process, "sound-1")),
        ...(await scrape(
          `${admin.url}/metrics`,
          { job: "jobqueue-admin", namespace: "shop", pod: "admin-0" },
          headers,
        )),
      ]);
      expect(await surprisesInSilence({ minutes: 200, seen })).toBe("");
    } finally {
      await process.kill();
      await sound.stop();
      await admin.close();
    }
  });
});

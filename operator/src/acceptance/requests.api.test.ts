import { claim, enqueueMany, queuePolicies, registerWorker, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("what people ask of the operator by annotations", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("requests");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default", { staleLockRecovery: { mode: "Report" } });
    await cluster.jobQueue("mailers", {});
    await cluster.jobQueue("others", {});
    await cluster.operator();
    await cluster.condition("jobqueues/mailers", "Ready", "True");
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  /** Jobs of a queue that run under a worker whose lease has lapsed. */
  async function staleJobs(queue: string, count: number): Promise<void> {
    const jobs = Array.from({ length: count }, () => ({ queue, kind: "mail", payload: {} }));
    await enqueueMany(store, jobs);
    const workerId = await registerWorker(store, { bootId: crypto.randomUUID(), queues: [queue] });
    await claim(store, { workerId, queues: [queue], max: count });
    await store.query(
      "update jobqueue.workers set lease_until = clock_timestamp() - interval '1 second' where id = $1",
      [workerId],
    );
  }

  const pending = async (queue: string): Promise<number> => {
    const sql = "select count(*)::int as count from jobqueue.v_jobs where state = 'pending' and queue = $1";
    return (await store.query<{ count: number }>(sql, [queue]))[0]?.count ?? 0;
  };
  const annotate = (annotations: Readonly<Record<string, string | null>>): Promise<unknown> =>
    cluster.api.patch(cluster.path("jobqueues/mailers"), { metadata: { annotations } });
  const handled = (value: string): Promise<unknown> =>
    waitFor(
      `the request ${value} to be handled`,
      async () => (await cluster.status("mailers")).handledRequests?.recover === value,
      { timeoutMs: 20_000 },
    );
  const recoveries = (): Promise<{ actor: string; reason: string }[]> =>
    store.query("select actor, reason from jobqueue.audit_events where action = 'recover_stale' order by id");
  const events = async (reason: string): Promise<string[]> => {
    const path = cluster.path("events");
    const { items } = await cluster.api.get<{ items: { reason: string; note: string }[] }>(path);
    return items.filter((one) => one.reason === reason).map(({ note }) => note);
  };

  it("recover-requested hands on the stale jobs of this queue only, though the store only reports them", async () => {
    await staleJobs("mailers", 3);
    await staleJobs("others", 2);
    await cluster.condition("jobstores/default", "Healthy", "False", "StaleJobs");
    await annotate({ "jobqueue.dev/recover-requested": "2026-08-01T12:00" });
    await handled("2026-08-01T12:00");
    expect(await pending("mailers")).toBe(3);
    expect(await pending("others")).toBe(0);
    expect((await cluster.status("mailers")).lastRecovery).toMatchObject({ jobs: 3, reason: "RecoverRequested" });
  });

  it("is in the audit trail with what was asked, and told as an event", async () => {
    expect(await recoveries()).toEqual([
      {
        actor: `jobqueue-operator:${cluster.namespace}/mailers`,
        reason: expect.stringContaining("recover-requested of JobQueue") as string,
      },
    ]);
    await waitFor("the event", async () => (await events("JobsRecovered"))[0]?.startsWith("3 jobs were handed on."), {
      timeoutMs: 20_000,
    });
  });

  it("is done once for each value, also by another leader, and again for another value", async () => {
    await staleJobs("mailers", 1);
    await cluster.stop();
    await cluster.operator();
    await annotate({ "jobqueue.dev/seen": "1" }); // looked at again with the old value
    await cluster.jobQueue("mailers", { concurrency: 7 });
    await waitFor("the policy", async () => (await queuePolicies(store)).get("mailers")?.maxRunning === 7, {
      timeoutMs: 30_000,
    });
    expect(await recoveries()).toHaveLength(1);
    await annotate({ "jobqueue.dev/recover-requested": "again" });
    await handled("again");
    expect(await recoveries()).toHaveLength(2);
  });

  it("says so when nothing was stale", async () => {
    await annotate({ "jobqueue.dev/recover-requested": "third" });
    await handled("third");
    await waitFor("the event", async () => (await events("NothingRecovered"))[0]?.startsWith("No job was stale."), {
      timeoutMs: 20_000,
    });
    expect(await recoveries()).toHaveLength(2);
  });

  it("reconcile: suspended leaves everything as it is, says so, keeps holds, and ends with the annotation", async () => {
    await cluster.jobQueue("mailers", { state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    await cluster.object("deployments/mailers-workers");
    await annotate({ "jobqueue.dev/reconcile": "suspended" });
    const { message } = await cluster.condition("jobqueues/mailers", "ReconcileSuspended", "True");
    expect(message).toContain("remove it to go on");
    await cluster.condition("jobqueues/mailers", "Ready", "Unknown", "ReconcileSuspended");

    await cluster.jobQueue("mailers", { state: "Active", replicas: 5, workers: workersSpec() });
    await waitFor(
      "the operator to have looked at the new spec",
      async () => {
        const { metadata } = await cluster.api.get(cluster.path("jobqueues/mailers"));
        return (await cluster.status("mailers")).observedGeneration === metadata["generation"];
      },
      { timeoutMs: 20_000 },
    );
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec"); // the hold is still in force
    expect((await cluster.object("deployments/mailers-workers"))["spec"]).toMatchObject({ replicas: 1 });

    await annotate({ "jobqueue.dev/reconcile": null });
    await cluster.condition("jobqueues/mailers", "Paused", "False", "Active");
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 5);
    expect((await cluster.status("mailers")).conditions?.map(({ type }) => type)).not.toContain("ReconcileSuspended");
  });
});

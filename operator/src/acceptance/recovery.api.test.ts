import { claim, enqueueMany, heartbeat, listWorkers, registerWorker, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("recovery of the jobs of pods that are gone", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  let pods: readonly { readonly name: string; readonly uid: string }[];

  /** A worker as the process in that pod would register it, holding three jobs. */
  async function workerIn(pod: { readonly name: string; readonly uid: string }, leaseSeconds = 600): Promise<string> {
    const worker = await registerWorker(store, {
      bootId: crypto.randomUUID(),
      podUid: pod.uid,
      pod: pod.name,
      namespace: cluster.namespace,
      pool: `${cluster.namespace}/mailers`,
      queues: ["mailers"],
      leaseSeconds,
    });
    await enqueueMany(
      store,
      Array.from({ length: 3 }, () => ({ queue: "mailers", kind: "mail", payload: {} })),
    );
    await claim(store, { workerId: worker, queues: ["mailers"], max: 3 });
    return worker;
  }

  const running = async (worker: string): Promise<number | undefined> =>
    (await listWorkers(store)).find(({ id }) => id === worker)?.running;
  const isGone = (worker: string) =>
    waitFor(`worker ${worker} to be gone`, async () => (await running(worker)) === undefined, { timeoutMs: 20_000 });
  const pending = async (): Promise<number> => {
    const [row] = await store.query<{ count: number }>(
      "select count(*)::int as count from jobqueue.v_jobs where state = 'pending'",
    );
    return row?.count ?? 0;
  };
  /** Takes what is pending away, so that the next test counts from zero. */
  const drain = async (): Promise<void> => {
    await store.query("delete from jobqueue.jobs");
  };

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("recovery");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.jobQueue("mailers", { replicas: 4, workers: workersSpec() });
    await cluster.operator();
    pods = (await cluster.becomeReady("mailers", 4)).map(({ metadata }) => ({
      name: metadata.name,
      uid: metadata.uid ?? "",
    }));
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  it("a pod that is deleted has its jobs handed on at once, and only its own", async () => {
    const [dead, alive] = [await workerIn(pods[0]!), await workerIn(pods[1]!)];
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    const began = performance.now();
    await cluster.removePod(pods[0]!.name);
    await isGone(dead);
    await waitFor("its jobs to be pending", async () => (await pending()) === 3, { timeoutMs: 5_000 });
    expect(performance.now() - began).toBeLessThan(5_000); // about a second; the lease would be ten minutes
    expect(await running(alive)).toBe(3);
    await waitFor("the status to tell of it", async () => (await cluster.status("mailers")).lastRecovery?.jobs === 3, {
      timeoutMs: 20_000,
    });
  });

  it("tells who did it and why: in the audit trail, and as an event", async () => {
    const audit = await store.query<{ actor: string; reason: string }>(
      "select actor, reason from jobqueue.audit_events where actor like 'jobqueue-operator:%' order by id",
    );
    expect(audit.map(({ actor }) => actor)).toContain(`jobqueue-operator:${cluster.namespace}/mailers`);
    expect(audit.map(({ reason }) => reason).join()).toContain(`The pod ${pods[0]!.name} is gone.`);
    await waitFor(
      "the event",
      async () => {
        const { items } = await cluster.api.get<{ items: { reason: string; note: string }[] }>(cluster.path("events"));
        return items.find(({ reason }) => reason === "JobsRecovered")?.note.startsWith("3 jobs were handed on.");
      },
      { timeoutMs: 20_000 },
    );
  });

  it("a pod that failed for good has its jobs handed on although it is still there", async () => {
    await drain();
    const worker = await workerIn(pods[2]!);
    await cluster.api.patch(`${cluster.path(`pods/${pods[2]!.name}`)}/status`, {
      status: { phase: "Failed", reason: "Evicted" },
    });
    await isGone(worker);
    await waitFor("its jobs to be pending", async () => (await pending()) === 3, { timeoutMs: 5_000 });
    expect((await cluster.api.get(cluster.path(`pods/${pods[2]!.name}`))).metadata.uid).toBe(pods[2]!.uid);
  });

  it("a pod that is being deleted and not confirmed gone, as on a node that cannot be reached, is left to its lease", async () => {
    await drain();
    const worker = await workerIn(pods[3]!);
    await cluster.api.patch(cluster.path(`pods/${pods[3]!.name}`), {
      metadata: { finalizers: ["example.dev/unreachable-node"] },
    });
    await cluster.removePod(pods[3]!.name);
    await cluster.object(`pods/${pods[3]!.name}`, ({ metadata }) => metadata["deletionTimestamp"] !== undefined);
    const other = await workerIn(pods[1]!); // something else happens in the pool, so the operator looks at it again
    await cluster.removePod(pods[1]!.name);
    await isGone(other);
    expect(await running(worker)).toBe(3);
    await cluster.api.patch(cluster.path(`pods/${pods[3]!.name}`), { metadata: { finalizers: null } });
    await isGone(worker);
  });

  it("a pod that vanished while no operator ran is found by the next one, once its worker is silent", async () => {
    await drain();
    await cluster.stop();
    const [pod] = await cluster.pods("mailers");
    const here = { name: pod?.metadata.name ?? "", uid: pod?.metadata.uid ?? "" };
    const silent = await workerIn(here, 60);
    await store.query("update jobqueue.workers set heartbeat_at = heartbeat_at - interval '31 seconds' where id = $1", [
      silent,
    ]);
    await cluster.removePod(here.name);
    const elsewhere = await workerIn({ name: "mailers-workers-elsewhere", uid: crypto.randomUUID() }, 60);
    await heartbeat(store, elsewhere);

    await cluster.operator();
    await isGone(silent);
    expect(await running(elsewhere)).toBe(3); // it beats: it is the pool of the same name in another cluster
  });
});

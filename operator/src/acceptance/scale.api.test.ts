import { enqueueMany, getJob, listWorkers, type Database } from "@jobqueue/store";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { DELETION_COST } from "../controllers/job-queue/pods.ts";
import type { RequestObservation } from "../kube/index.ts";
import { ClusterUnderTest, openStore, workersSpec, writesOf } from "../testing/cluster-under-test.ts";
import { Kubelets, workerHere } from "../testing/kubelets.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

interface Counts {
  readonly readyReplicas?: number;
  readonly replicas?: number;
}

describe("scaling a pool of real workers, the victims chosen by the real ReplicaSet controller", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;
  let kubelets: Kubelets;
  let directory: string;
  let requests: RequestObservation[];

  const scaleTo = (replicas: number) =>
    cluster.api.patch(cluster.path("jobqueues/mailers/scale"), { spec: { replicas } });
  const enqueue = (file: string, count: number) =>
    enqueueMany(
      store,
      Array.from({ length: count }, () => ({
        queue: "mailers",
        kind: "wait",
        payload: { file: join(directory, file) },
      })),
    );
  const finish = (file: string) => writeFileSync(join(directory, file), "");
  /** Waits until so many workers of the pool hold a job; returns the names of their pods. */
  const busy = async (count: number): Promise<readonly string[]> =>
    waitFor(
      `${count} busy workers`,
      async () => {
        const names = (await listWorkers(store)).filter(({ running }) => running > 0).map(({ pod }) => pod ?? "");
        return names.length === count ? names.toSorted() : undefined;
      },
      { timeoutMs: 60_000 },
    );
  /** Waits until the pool has so many pods, all ready; returns their names. */
  const pods = async (count: number): Promise<readonly string[]> =>
    waitFor(
      `${count} ready pods`,
      async () => {
        const there = await cluster.pods("mailers");
        const path = cluster.path("deployments/mailers-workers");
        const { status } = (await cluster.api.find<KubeObject & { status?: Counts }>(path)) ?? {};
        const [ready, all] = [status?.readyReplicas ?? 0, status?.replicas ?? 0];
        return there.length === count && ready === count && all === count
          ? there.map(({ metadata }) => metadata.name).toSorted()
          : undefined;
      },
      { timeoutMs: 90_000 },
    );
  const leftOver = async () => ({
    drained: (await listWorkers(store)).filter(({ isLive, drainSince }) => isLive && drainSince !== null).length,
    costs: (await cluster.pods("mailers")).filter(
      ({ metadata }) => (metadata["annotations"] as Record<string, string> | undefined)?.[DELETION_COST] !== undefined,
    ).length,
  });

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("scale");
  });
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-scale-"));
    requests = [];
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    kubelets = new Kubelets({ cluster, pool: "mailers", run: workerHere(database.url) });
    kubelets.start();
  });
  afterEach(async () => {
    await cluster.stop();
    await kubelets.stop();
    await cluster.api.delete(cluster.path("jobqueues/mailers"));
    await cluster.api.delete(cluster.path("jobstores/default"));
    // The garbage collector hears of our kinds within half a minute of its start, and has grown slow to ask by then.
    await waitFor("the pods to go", async () => (await cluster.pods("mailers")).length === 0, { timeoutMs: 90_000 });
    await store.close();
    await database.drop();
    if (existsSync(directory)) rmSync(directory, { recursive: true });
  });
  afterAll(async () => cluster.stop());

  const begin = async (replicas: number, more: object = {}) => {
    await cluster.jobQueue("mailers", {
      replicas,
      workers: workersSpec({ slots: 1, drainTimeoutSeconds: 120, ...more }),
    });
    await cluster.operator({ onRequest: (request) => requests.push(request) });
    return pods(replicas);
  };

  it("through /scale idle workers go and busy ones stay; what is too much and busy is waited for; no job is lost or repeated", async () => {
    await begin(4);
    const jobs = await enqueue("first", 2);
    const working = await busy(2);
    await scaleTo(2);
    expect(await pods(2)).toEqual(working);
    // Both are busy now: the decrease lags, and the status says how many are wanted.
    await scaleTo(1);
    await waitFor("DESIRED to be 1", async () => (await cluster.status("mailers")).workers?.desired === 1, {
      timeoutMs: 20_000,
    });
    const { message } = await cluster.condition("jobqueues/mailers", "WorkersAvailable", "True", "MinimumAvailable");
    expect(message).toBe("2 of 2 workers are ready. 1 of them goes once it is idle.");
    expect(await cluster.pods("mailers")).toHaveLength(2);
    // An increase never lags.
    await scaleTo(3);
    const three = await pods(3);
    expect(three).toEqual(expect.arrayContaining([...working]));
    const [late] = await enqueue("second", 1);
    expect(await busy(3)).toEqual(three);
    finish("first");
    const [last] = await busy(1);
    await scaleTo(1);
    expect(await pods(1)).toEqual([last]);
    finish("second");
    for (const { id } of [...jobs, late!]) {
      await waitFor(`job ${id} to complete`, async () => (await getJob(store, id))?.state === "completed", {
        timeoutMs: 20_000,
      });
      expect(await getJob(store, id)).toMatchObject({ attempt: 1, recoveries: 0 });
    }
    await waitFor("the node to hear of the last that go", async () => kubelets.deleted.length >= 4, {
      timeoutMs: 20_000,
    });
    expect(kubelets.deleted).toHaveLength(4);
    await waitFor(
      "nothing to be left over",
      async () => JSON.stringify(await leftOver()) === '{"drained":0,"costs":0}',
      {
        timeoutMs: 20_000,
      },
    );
    // Counts are shown at most every 15 s; after that nothing is left to be written.
    const counted = async () => {
      const { jobs: shown, workers } = await cluster.status("mailers");
      return [shown?.running, workers?.busy, workers?.draining].every((count) => count === 0);
    };
    await waitFor("the counts to be shown", counted, { timeoutMs: 40_000 });
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    const before = writesOf(requests).length;
    const looks = async () =>
      (await store.query<{ n: string }>("select count(*) as n from jobqueue.audit_events"))[0]?.n;
    const audited = await looks();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect({ writes: writesOf(requests).length - before, audited: await looks() }).toEqual({ writes: 0, audited });
  }, 240_000);

  it("G17: workers that were drained for a decrease that is taken back take jobs again, and nothing is left over", async () => {
    await begin(4);
    await enqueue("go", 3);
    const working = await busy(3);
    await scaleTo(1);
    await waitFor("the idle one to go", async () => kubelets.deleted.length === 1, { timeoutMs: 30_000 });
    await scaleTo(4);
    const four = await pods(4);
    expect(four).toEqual(expect.arrayContaining([...working]));
    await enqueue("go", 1);
    expect(await busy(4)).toEqual(four);
    expect(await leftOver()).toEqual({ drained: 0, costs: 0 });
    finish("go");
  }, 180_000);

  it("K12: whoever owns spec.replicas keeps it: the operator writes no spec, and follows what it says", async () => {
    await begin(1);
    const path = `${cluster.path("jobqueues/mailers")}?fieldManager=keda&force=true`;
    const apply = (replicas: number) =>
      cluster.api.send(
        "PATCH",
        path,
        { apiVersion: "jobqueue.dev/v1alpha1", kind: "JobQueue", metadata: { name: "mailers" }, spec: { replicas } },
        "application/apply-patch+yaml",
      );
    await apply(3);
    await pods(3);
    await apply(0);
    await waitFor("no pods", async () => (await cluster.pods("mailers")).length === 0, { timeoutMs: 30_000 });
    await cluster.condition("jobqueues/mailers", "WorkersAvailable", "False", "ScaledToZero");
    const { metadata, spec } = (await cluster.api.get(cluster.path("jobqueues/mailers"))) as KubeObject & {
      spec: { replicas: number };
    };
    const owners = (metadata["managedFields"] as { manager: string; subresource?: string; fieldsV1: object }[])
      .filter(
        ({ fieldsV1 }) =>
          JSON.stringify(fieldsV1).includes('"f:replicas":{}') && JSON.stringify(fieldsV1).includes('"f:spec"'),
      )
      .map(({ manager }) => manager);
    expect({ owners, replicas: spec.replicas }).toEqual({ owners: ["keda"], replicas: 0 });
  }, 120_000);

  it("autoscaling: from zero within about a second of the first job, up with the backlog, and down again without losing a job", async () => {
    const scaleDown = { stabilizationSeconds: 1, maxPerStep: "100%", cooldownToZeroSeconds: 3 };
    const autoscaling = { minReplicas: 0, maxReplicas: 3, jobsPerWorker: 1, scaleUp: { maxPerStep: 3 }, scaleDown };
    await cluster.jobQueue("mailers", { workers: workersSpec({ slots: 1, drainTimeoutSeconds: 120, autoscaling }) });
    await cluster.operator({ monitorTimes: { everyMs: 5_000, hintGapMs: 1_000 } });
    await cluster.condition("jobqueues/mailers", "WorkersAvailable", "False", "ScaledToZero");
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    const listening = "select from pg_stat_activity where datname = current_database() and query ilike 'listen %'";
    await waitFor("the operator to hear hints", async () => (await store.query(listening)).length > 0, {
      timeoutMs: 20_000,
    });
    const began = performance.now();
    const [first] = await enqueue("one", 1);
    await cluster.object(
      "deployments/mailers-workers",
      (one) => (one as { spec?: { replicas?: number } }).spec?.replicas === 1,
    );
    const tookMs = performance.now() - began;
    console.info(`from zero: the Deployment asked for a worker ${Math.round(tookMs)} ms after the enqueue`);
    expect(tookMs).toBeLessThan(3_000);
    expect(await busy(1)).toHaveLength(1);
    await enqueue("one", 2);
    expect(await busy(3)).toHaveLength(3);
    expect((await cluster.status("mailers")).workers).toMatchObject({ desired: 3 });
    finish("one");
    await waitFor("all workers to go", async () => (await cluster.pods("mailers")).length === 0, { timeoutMs: 60_000 });
    await cluster.condition("jobqueues/mailers", "WorkersAvailable", "False", "ScaledToZero");
    expect(await getJob(store, first!.id)).toMatchObject({ state: "completed", attempt: 1, recoveries: 0 });
  }, 180_000);
});

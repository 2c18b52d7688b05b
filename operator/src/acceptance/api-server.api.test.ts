/** An API server that is taken down, and whose kinds are taken away, under a running operator: faults K1, K8, K9, O7. */
import { claim, complete, enqueue, hold, listHolds, registerWorker, type Database } from "@jobqueue/store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { applyCrds } from "../../../test/support/api-server/crds.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import type { RequestObservation } from "../kube/index.ts";
import type { Operator } from "../main.ts";
import { ask, ClusterUnderTest, openStore, workersSpec, writesOf } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));
const CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/jobqueues.jobqueue.dev";
/** Fast enough that no test waits long for a watch to be opened again. */
const reflectorTimes = { backoffBaseMs: 50, backoffMaxMs: 500 };

describe("an API server of its own", () => {
  let server: ApiServer;
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    server = await ApiServer.create();
  });

  beforeEach(async () => {
    cluster = await ClusterUnderTest.create("own", server.kubeconfig);
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
  });

  afterEach(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  afterAll(() => server.destroy());

  const leads = (operator: Operator, wanted: boolean) =>
    eventually(wanted ? "it to lead" : "it to lead no more", async () =>
      operator.leads === wanted ? true : undefined,
    );
  const identities = async (kind: string) =>
    (
      await cluster.api.get<{ items: { metadata: { name: string; uid: string; generation?: number } }[] }>(
        cluster.path(kind),
      )
    ).items
      .map(({ metadata: { name, uid, generation } }) => `${name} ${uid} ${generation ?? ""}`)
      .sort();

  it("K1, G15: away and back again: workers and pauses never notice, and the operator changes nothing", async () => {
    const requests: RequestObservation[] = [];
    const operator = await cluster.operator({ reflectorTimes, onRequest: (request) => void requests.push(request) });
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec() });
    const [pod] = await cluster.becomeReady("mailers", 2);
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    const worker = await registerWorker(store, {
      bootId: crypto.randomUUID(),
      podUid: pod?.metadata.uid ?? "",
      pod: pod?.metadata.name ?? "",
      namespace: cluster.namespace,
      pool: `${cluster.namespace}/mailers`,
      queues: ["mailers"],
      leaseSeconds: 600,
    });
    await enqueue(store, { queue: "mailers", kind: "mail", payload: {} });
    const [job] = await claim(store, { workerId: worker, queues: ["mailers"], max: 1 });
    const before = [await identities("deployments"), await identities("pods")];

    await server.stop();
    await leads(operator, false);
    expect(await ask(operator, "/livez")).toBe("ok\n");
    requests.length = 0;
    await hold(store, { queue: "mailers", name: "ana", reason: "no API server", actor: "ana", source: "cli" });
    await enqueue(store, { queue: "mailers", kind: "mail", payload: {} });
    expect(await claim(store, { workerId: worker, queues: ["mailers"], max: 1 })).toEqual([]);
    expect(await complete(store, [{ id: job?.id ?? "", leaseToken: job?.leaseToken ?? "" }])).toEqual([]);

    await server.start();
    await leads(operator, true);
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedByHold");
    await cluster.condition("jobqueues/mailers", "Ready", "True");
    expect([await identities("deployments"), await identities("pods")]).toEqual(before);
    const writes = writesOf(requests).filter(({ path, code }) => code !== 0 && !/\/status$|\/events$/.test(path));
    expect(writes).toEqual([]);
    expect(await store.query("select id from jobqueue.v_workers where state <> 'active'")).toEqual([]);
  });

  it("K8: without our kinds it says so, and works when they come; taken away and brought back, too", async () => {
    await cluster.api.delete(CRD);
    await eventually("the kind to be gone", async () => ((await cluster.api.find(CRD)) ? undefined : true));
    const operator = await cluster.operator({ reflectorTimes });
    const readyz = await eventually("it to say what is wrong", async () => {
      const said = await ask(operator, "/readyz");
      return said.includes("is it installed?") ? said : undefined;
    });
    expect(readyz).toMatch(
      /^waiting for informer jobqueues \(the API server does not serve jobqueues\.jobqueue\.dev; /,
    );
    await applyCrds(server.kubeconfig);
    await eventually("it to be ready", async () => ((await ask(operator, "/readyz")) === "ok\n" ? true : undefined));
    await cluster.jobQueue("mailers", { state: "Paused" });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");

    await cluster.api.delete(CRD);
    await eventually("the kind to be gone", async () => ((await cluster.api.find(CRD)) ? undefined : true));
    await applyCrds(server.kubeconfig);
    await cluster.jobQueue("mailers", { state: "Paused", pauseReason: "again" });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    expect(await listHolds(store, "mailers")).toMatchObject([{ name: "spec", reason: "again" }]);
  });

  it("K9: in a namespace that is going it makes nothing, and does not insist", async () => {
    const going = await ClusterUnderTest.create("going", server.kubeconfig);
    await going.secret("default", database.url);
    await going.jobStore("default");
    await going.jobQueue("mailers", {});
    const requests: RequestObservation[] = [];
    const watchNamespaces = [going.namespace];
    await cluster.operator({ reflectorTimes, watchNamespaces, onRequest: (request) => void requests.push(request) });
    await going.condition("jobqueues/mailers", "Ready", "True");
    server.controllerManager.freeze(true); // the namespace is going, but nobody clears it yet
    try {
      await going.api.delete(`/api/v1/namespaces/${going.namespace}`);
      await going.jobQueue("mailers", { workers: workersSpec() });
      const tries = () => requests.filter(({ method, path }) => method === "PATCH" && path.includes("/deployments/"));
      await eventually("it to be refused", async () => (tries().length > 0 ? true : undefined));
      await going.jobQueue("mailers", { pauseReason: "still told", state: "Paused", workers: workersSpec() });
      await going.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
      expect(tries().length).toBeLessThan(10);
      expect(await going.api.find(going.path("deployments/mailers-workers"))).toBeUndefined();
    } finally {
      server.controllerManager.freeze(false);
    }
  });

  it("O7: JobQueues that an older definition let in and that cannot be read: only their keys back off", async () => {
    const { spec } = await cluster.api.get<{ spec: { versions: { name: string }[] } }>(CRD);
    const lax = spec.versions.map(({ name }) => ({
      name,
      served: true,
      storage: true,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
    }));
    await cluster.api.patch(CRD, { spec: { versions: lax } });
    const odd = [
      undefined,
      {},
      { storeRef: "default", workers: 7, schedules: "daily" },
      { storeRef: { name: 7 }, workers: { template: {} } },
    ];
    for (const [number, oddSpec] of odd.entries()) {
      await eventually("the lax definition to be in force", () => cluster.jobQueue(`odd-${number}`, oddSpec as object));
    }
    await cluster.api.patch(CRD, { spec: { versions: spec.versions } });
    await applyCrds(server.kubeconfig);
    const operator = await cluster.operator({ reflectorTimes });
    await cluster.jobQueue("sound", { state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/sound", "Paused", "True", "PausedBySpec");
    await cluster.object("deployments/sound-workers");
    expect(await ask(operator, "/readyz")).toBe("ok\n");
    expect(await ask(operator, "/metrics")).toMatch(/^jobqueue_paused\{[^}]*name="sound"\} 1$/m);
    const depth = /^workqueue_retries_total\{name="jobqueue"\} (\d+)$/m;
    const retries = Number(depth.exec(await ask(operator, "/metrics"))?.[1] ?? 0);
    expect(retries).toBeLessThan(60); // a busy loop would make thousands
    for (const number of odd.keys()) await cluster.api.delete(cluster.path(`jobqueues/odd-${number}`));
    await eventually("the odd ones to be gone", async () =>
      (await identities("jobqueues")).length === 1 ? true : undefined,
    );
  });
});

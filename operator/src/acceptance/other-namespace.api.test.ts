import { ensureQueue, listHolds, queueStats, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { ApiServer } from "../../../test/support/api-server/api-server.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("a JobStore and JobQueues of other namespaces", () => {
  let server: ApiServer;
  let platform: ClusterUnderTest;
  let team: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  const everywhere = () => ({
    config: {
      namespace: platform.namespace,
      watchNamespaces: [],
      leaderElection: true,
      httpPort: 0,
      logLevel: "silent",
      identity: "everywhere",
      kubeconfig: platform.kubeconfig,
    },
  });
  const storeOf = (allowedNamespaces: object): Promise<void> => platform.jobStore("shared", { allowedNamespaces });
  const label = (labels: Readonly<Record<string, string | null>>): Promise<unknown> =>
    team.api.patch(`/api/v1/namespaces/${team.namespace}`, { metadata: { labels } });
  const storeRef = () => ({ name: "shared", namespace: platform.namespace });
  const selector = { matchLabels: { "example.dev/queues": "shared" } };
  const names = async (): Promise<string[]> => (await queueStats(store)).map(({ queue }) => queue);

  beforeAll(async () => {
    server = await ApiServer.create(); // of its own: an operator of all namespaces would meddle with other tests
    platform = await ClusterUnderTest.create("platform", server.kubeconfig);
    team = await ClusterUnderTest.create("team", server.kubeconfig);
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await platform.operator(everywhere());
  });

  afterAll(async () => {
    await platform.stop();
    await store.close();
    await database.drop();
    await server.destroy();
  });

  it("a queue whose store comes later is told to wait, and is made when the store is there and lets it in", async () => {
    await team.jobQueue("mailers", { storeRef: storeRef(), state: "Paused" });
    const { message } = await team.condition("jobqueues/mailers", "Ready", "False", "StoreNotFound");
    expect(message).toContain(`JobStore ${platform.namespace}/shared does not exist`);
    await platform.secret("shared", database.url);
    await storeOf({ from: "Same" });
    await platform.condition("jobstores/shared", "Ready", "True");
    const told = await team.condition("jobqueues/mailers", "Stalled", "True", "StoreNotAllowed");
    expect(told.message).toContain(`does not let namespace ${team.namespace} in: its spec.allowedNamespaces is Same`);
    expect(await names()).toEqual([]);

    await storeOf({ from: "All" });
    await team.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    expect(await listHolds(store, "mailers")).toMatchObject([{ name: "spec" }]);
    expect((await team.status("mailers")).store).toBe(`${platform.namespace}/shared`);
    await waitFor("the store to count it", async () => queuesOf(await platform.object("jobstores/shared")) === 1, {
      timeoutMs: 20_000,
    });
  });

  it("by labels: a namespace is let in when it gets the label, and shut out when it loses it", async () => {
    await storeOf({ from: "Selector", selector });
    await team.condition("jobqueues/mailers", "Ready", "False", "StoreNotAllowed");
    await team.jobQueue("mailers", { storeRef: storeRef() });
    await team.condition("jobqueues/mailers", "Paused", "Unknown");
    expect(await listHolds(store, "mailers")).toHaveLength(1); // shut out: nothing is done in the store, not even that
    await label({ "example.dev/queues": "shared" });
    await team.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    expect(await listHolds(store, "mailers")).toEqual([]);
    await label({ "example.dev/queues": null });
    await team.condition("jobqueues/mailers", "Ready", "False", "StoreNotAllowed");
    await waitFor("the store not to count it", async () => queuesOf(await platform.object("jobstores/shared")) === 0, {
      timeoutMs: 20_000,
    });
  });

  it("one that is not let in is nobody's rival, though it is older; when it is let in, it counts", async () => {
    // Kubernetes tells ages by the second.
    const { metadata } = await team.object("jobqueues/mailers");
    const made = Date.parse(String(metadata["creationTimestamp"]));
    await waitFor("the next second", () => Promise.resolve(Date.now() >= made + 1_000), { timeoutMs: 5_000 });
    await platform.jobQueue("mailers", { storeRef: { name: "shared" } });
    await platform.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    await label({ "example.dev/queues": "shared" });
    const { message } = await platform.condition("jobqueues/mailers", "Ready", "False", "QueueConflict");
    expect(message).toContain(`JobQueue ${team.namespace}/mailers is older`);
    await platform.api.delete(platform.path("jobqueues/mailers"));
    await team.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
  });

  it("workers need a Secret of their own namespace, and no Secret is copied there", async () => {
    await team.jobQueue("pool", { storeRef: storeRef(), workers: workersSpec() });
    const { message } = await team.condition("jobqueues/pool", "Stalled", "True", "StoreCredentialsMissing");
    expect(message).toContain(`make a Secret with the URL of the store in namespace ${team.namespace}`);
    expect(message).toContain("spec.workers.storeCredentials.uriSecretRef");
    expect(await team.api.find(team.path("deployments/pool-workers"))).toBeUndefined();
    expect(await names()).toContain("pool"); // the queue itself is managed

    await team.secret("pool-store", database.url);
    const storeCredentials = { uriSecretRef: { name: "pool-store", key: "uri" } };
    await team.jobQueue("pool", { storeRef: storeRef(), workers: workersSpec({ storeCredentials }) });
    const { spec } = await team.object("deployments/pool-workers");
    expect(JSON.stringify(spec)).toContain('"secretKeyRef":{"name":"pool-store","key":"uri"}');
    expect(JSON.stringify(spec)).not.toContain('"name":"shared"');
    const { items } = await team.api.get<{ items: { metadata: { name: string } }[] }>(team.path("secrets"));
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["pool-store"]);
  });

  it("G18: deleted after it was shut out, with deletionPolicy Delete, it goes and leaves the queue in the store", async () => {
    await ensureQueue(store, "mailers");
    await team.jobQueue("mailers", { storeRef: storeRef(), deletionPolicy: "Delete" });
    await team.object("jobqueues/mailers", ({ metadata }) => JSON.stringify(metadata).includes("jobqueue.dev/queue"));
    await storeOf({ from: "Same" });
    await team.condition("jobqueues/mailers", "Ready", "False", "StoreNotAllowed");
    await team.api.delete(team.path("jobqueues/mailers"));
    await waitFor("the object to be gone", async () => !(await team.api.find(team.path("jobqueues/mailers"))), {
      timeoutMs: 20_000,
    });
    expect(await names()).toContain("mailers");
  });
});

const queuesOf = (store: { readonly [field: string]: unknown }): number | undefined =>
  (store["status"] as { queues?: number } | undefined)?.queues;

describe("an operator of some namespaces only", () => {
  it("cannot read labels: it says so instead of guessing, and lets in by All", async () => {
    const platform = await ClusterUnderTest.create("platform");
    const team = await ClusterUnderTest.create("team");
    const database = await createTestDatabase(adminUrl);
    try {
      await platform.operator({
        config: {
          namespace: platform.namespace,
          watchNamespaces: [platform.namespace, team.namespace],
          leaderElection: true,
          httpPort: 0,
          logLevel: "silent",
          identity: "some",
          kubeconfig: platform.kubeconfig,
        },
      });
      await platform.secret("shared", database.url);
      const labels = { matchLabels: { "kubernetes.io/metadata.name": team.namespace } };
      await platform.jobStore("shared", { allowedNamespaces: { from: "Selector", selector: labels } });
      await team.jobQueue("mailers", { storeRef: { name: "shared", namespace: platform.namespace } });
      const { message } = await team.condition("jobqueues/mailers", "Ready", "Unknown", "StoreNotAllowed");
      expect(message).toContain("the store has to say from: All, or the operator has to work in all");
      await platform.jobStore("shared", { allowedNamespaces: { from: "All" } });
      await team.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    } finally {
      await platform.stop();
      await database.drop();
    }
  });
});

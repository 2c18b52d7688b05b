import { enqueue, hold, listHolds, listJobs, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("what is not ours, and what is ours no more", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("conflicts");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator();
    await cluster.condition("jobstores/default", "Ready", "True");
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  it("a second JobQueue for the same queue is refused, does nothing, and takes over when the first is gone", async () => {
    await cluster.jobQueue("first", { queueName: "mail", state: "Paused" });
    await cluster.condition("jobqueues/first", "Paused", "True", "PausedBySpec");
    await waitFor(
      "the clock of the API server, which counts seconds, to move on",
      async () => {
        const { metadata } = await cluster.api.get(cluster.path("jobqueues/first"));
        return Date.now() > Date.parse(String(metadata["creationTimestamp"])) + 1_500;
      },
      { timeoutMs: 5_000 },
    );
    await cluster.jobQueue("second", { queueName: "mail", workers: workersSpec() });
    const { message } = await cluster.condition("jobqueues/second", "Stalled", "True", "QueueConflict");
    expect(message).toMatch(/^JobQueue first is older/);
    await cluster.condition("jobqueues/second", "Ready", "False", "QueueConflict");
    expect(await cluster.api.find(cluster.path("deployments/second-workers"))).toBeUndefined();
    expect(await listHolds(store, "mail")).toMatchObject([{ name: "spec" }]); // the loser is Active, and releases nothing

    await cluster.api.delete(cluster.path("jobqueues/first"));
    await cluster.object("deployments/second-workers");
    await waitFor("the new owner to release the hold", async () => (await listHolds(store, "mail")).length === 0, {
      timeoutMs: 20_000,
    });
  });

  it("K11: a Deployment of somebody else is reported and not touched, and replaced by ours when it is gone", async () => {
    const labels = { app: "theirs" };
    const containers = [{ name: "theirs", image: "registry.example/theirs:1" }];
    const theirs = await cluster.api.create(cluster.path("deployments"), {
      metadata: { name: "reports-workers" },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    });
    await cluster.jobQueue("reports", { workers: workersSpec() });
    const { message } = await cluster.condition("jobqueues/reports", "Stalled", "True", "DeploymentConflict");
    expect(message).toContain("reports-workers belongs to nobody this operator knows");
    const after = await cluster.api.get(cluster.path("deployments/reports-workers"));
    expect(after.metadata.uid).toBe(theirs.metadata.uid);
    expect(after["spec"]).toEqual(theirs["spec"]);
    expect(after.metadata["ownerReferences"]).toBeUndefined();

    await cluster.api.delete(cluster.path("deployments/reports-workers"));
    await cluster.jobQueue("reports", { workers: workersSpec({ slots: 2 }) });
    await cluster.condition("jobqueues/reports", "Ready", "False", "Progressing");
  });

  it("a template that the API server refuses is reported in the words of the JobQueue, and the queue can still be paused", async () => {
    const container = { name: "worker", image: "x", resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } };
    await cluster.jobQueue("invalid", {
      state: "Paused",
      workers: { template: { spec: { containers: [container] } } },
    });
    const { message } = await cluster.condition("jobqueues/invalid", "Stalled", "True", "InvalidPodTemplate");
    expect(message).toMatch(/^spec\.workers\.template\.spec\.containers\[0\]\.resources\.requests: Invalid value/);
    await cluster.condition("jobqueues/invalid", "Paused", "True", "PausedBySpec");
    expect(await cluster.api.find(cluster.path("deployments/invalid-workers"))).toBeUndefined();

    await cluster.jobQueue("invalid", { state: "Paused", workers: workersSpec() });
    await cluster.object("deployments/invalid-workers");
    await waitFor(
      "Stalled to go",
      async () => !(await cluster.status("invalid")).conditions?.some(({ type }) => type === "Stalled"),
      { timeoutMs: 20_000 },
    );
  });

  it("K11: what somebody changes in our Deployment is put back, and one that is deleted is made again", async () => {
    await cluster.jobQueue("drift", { replicas: 2, workers: workersSpec() });
    const first = await cluster.object("deployments/drift-workers");
    await cluster.api.patch(cluster.path("deployments/drift-workers"), {
      spec: { replicas: 0 },
      metadata: { labels: { "jobqueue.dev/pool": null } },
    });
    await cluster.object("deployments/drift-workers", ({ spec, metadata }) => {
      const labels = metadata["labels"] as Record<string, string>;
      return (spec as { replicas: number }).replicas === 2 && labels["jobqueue.dev/pool"] === "drift";
    });
    expect((await cluster.object("deployments/drift-workers")).metadata.uid).toBe(first.metadata.uid);
    await cluster.api.delete(cluster.path("deployments/drift-workers"));
    const made = await cluster.object("deployments/drift-workers", ({ metadata }) => !metadata["deletionTimestamp"]);
    expect(made["spec"]).toMatchObject({ replicas: 2 });
  });

  it("K11: a second owner is left in peace; a Deployment that was orphaned, or taken over, is reported and not taken back", async () => {
    await cluster.jobQueue("owned", { replicas: 1, workers: workersSpec() });
    const path = cluster.path("deployments/owned-workers");
    const { metadata } = await cluster.object("deployments/owned-workers");
    const [own] = metadata["ownerReferences"] as readonly object[];
    const other = await cluster.api.create(cluster.path("configmaps"), { metadata: { name: "second-owner" } });
    const second = { apiVersion: "v1", kind: "ConfigMap", name: "second-owner", uid: other.metadata.uid };
    await cluster.api.patch(path, { metadata: { ownerReferences: [own, second] } });
    await cluster.jobQueue("owned", { replicas: 2, workers: workersSpec() });
    const both = await cluster.object(
      "deployments/owned-workers",
      ({ spec }) => (spec as { replicas: number }).replicas === 2,
    );
    expect(both.metadata["ownerReferences"]).toMatchObject([
      { kind: "JobQueue", controller: true },
      { kind: "ConfigMap" },
    ]);

    await cluster.api.patch(path, { metadata: { ownerReferences: [{ ...second, controller: true }] } });
    const taken = await cluster.condition("jobqueues/owned", "Stalled", "True", "DeploymentConflict");
    expect(taken.message).toContain("belongs to ConfigMap second-owner");
    await cluster.api.patch(path, { metadata: { ownerReferences: null } });
    const orphan = await cluster.object("jobqueues/owned", ({ status }) =>
      JSON.stringify(status).includes("belongs to nobody this operator knows"),
    );
    expect(orphan).toBeDefined();
    await cluster.jobQueue("owned", { replicas: 4, workers: workersSpec() });
    await cluster.object(
      "jobqueues/owned",
      ({ status, metadata: of }) => (status as { observedGeneration?: number }).observedGeneration === of["generation"],
    );
    const after = await cluster.api.get(path);
    expect(after).toMatchObject({ metadata: { uid: metadata.uid }, spec: { replicas: 2 } });
    expect(after.metadata["ownerReferences"]).toBeUndefined();
  });

  it("K12: replicas that another manager owns are followed and never written", async () => {
    await cluster.api.apply(cluster.path("jobqueues/scaled"), {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name: "scaled" },
      spec: { workers: workersSpec() }, // as Git has it: without replicas
    });
    const asAutoscaler = (replicas: number) =>
      cluster.api.send(
        "PATCH",
        `${cluster.path("jobqueues/scaled")}/scale?fieldManager=autoscaler`,
        { spec: { replicas } },
        "application/merge-patch+json",
      );
    for (const replicas of [3, 1, 4]) {
      await asAutoscaler(replicas);
      await cluster.object(
        "deployments/scaled-workers",
        ({ spec }) => (spec as { replicas: number }).replicas === replicas,
      );
    }
    await cluster.becomeReady("scaled", 4);
    await cluster.condition("jobqueues/scaled", "Ready", "True");
    const { spec, metadata } = await cluster.api.get(cluster.path("jobqueues/scaled"));
    expect(spec).toMatchObject({ replicas: 4 });
    const managers = metadata["managedFields"] as readonly {
      manager: string;
      subresource?: string;
      fieldsV1: object;
    }[];
    expect(managers.filter(({ manager, fieldsV1 }) => manager === "jobqueue-operator" && "f:spec" in fieldsV1)).toEqual(
      [],
    );
  });

  it("without spec.workers the Deployment goes and the queue stays", async () => {
    await cluster.jobQueue("shrinking", { workers: workersSpec() });
    await cluster.object("deployments/shrinking-workers");
    await cluster.jobQueue("shrinking", {});
    await waitFor(
      "the Deployment to be gone",
      async () => (await cluster.api.find(cluster.path("deployments/shrinking-workers"))) === undefined,
      { timeoutMs: 20_000 },
    );
    await cluster.condition("jobqueues/shrinking", "WorkersAvailable", "False", "NoWorkersConfigured");
    expect(await cluster.condition("jobqueues/shrinking", "Ready", "True")).toMatchObject({ reason: "Reconciled" });
  });

  it("deleting a JobQueue deletes its workers and no job (G18), and its hold goes when somebody else takes the queue", async () => {
    await cluster.jobQueue("doomed", { state: "Paused", workers: workersSpec() });
    await cluster.condition("jobqueues/doomed", "Paused", "True", "PausedBySpec");
    await enqueue(store, { queue: "doomed", kind: "mail", payload: { to: "ana" } });
    await cluster.api.delete(cluster.path("jobqueues/doomed"));
    await waitFor(
      "the Deployment to be collected",
      async () => (await cluster.api.find(cluster.path("deployments/doomed-workers"))) === undefined,
      { timeoutMs: 60_000 },
    );
    expect(await listJobs(store, { queue: "doomed" })).toHaveLength(1);

    await hold(store, { queue: "doomed", name: "audit", reason: "looking", actor: "ana", source: "cli" });
    await cluster.jobQueue("doomed", {});
    await cluster.condition("jobqueues/doomed", "Paused", "True", "PausedByHold");
    expect((await listHolds(store, "doomed")).map(({ name }) => name)).toEqual(["audit"]);
    expect(await cluster.status("doomed")).toMatchObject({ jobs: { pending: 1 } });
  });
});

import {
  claim,
  complete,
  enqueue,
  listHolds,
  listJobs,
  queuePolicy,
  registerWorker,
  type Database,
} from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, openStore } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("what deleting a JobQueue does in the store (G18)", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("deletion");
    database = await createTestDatabase(adminUrl);
    store = openStore(database.url);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator();
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  const finalizers = async (name: string): Promise<readonly string[]> => {
    const { metadata } = await cluster.api.get(cluster.path(`jobqueues/${name}`));
    return (metadata["finalizers"] as string[] | undefined) ?? [];
  };
  const made = async (name: string, spec: object): Promise<void> => {
    await cluster.jobQueue(name, spec);
    await cluster.condition(`jobqueues/${name}`, "Ready", "True");
    await enqueue(store, { queue: name, kind: "x", payload: {} });
  };
  const gone = (name: string) =>
    waitFor(
      `${name} to be gone`,
      async () => (await cluster.api.find(cluster.path(`jobqueues/${name}`))) === undefined,
      {
        timeoutMs: 20_000,
      },
    );
  const jobs = async (queue: string): Promise<number> => (await listJobs(store, { queue })).length;

  it("Retain needs no finaliser and leaves everything", async () => {
    await made("kept", {});
    expect(await finalizers("kept")).toEqual([]);
    await cluster.api.delete(cluster.path("jobqueues/kept"));
    await gone("kept");
    expect(await jobs("kept")).toBe(1);
  });

  it("Delete waits for jobs that run, starts no other, says so, and then removes the queue with its jobs", async () => {
    await made("doomed", { deletionPolicy: "Delete" });
    await enqueue(store, { queue: "doomed", kind: "x", payload: {} });
    expect(await finalizers("doomed")).toEqual(["jobqueue.dev/queue"]);
    const workerId = await registerWorker(store, {
      bootId: crypto.randomUUID(),
      queues: ["doomed"],
      leaseSeconds: 600,
    });
    const [job] = await claim(store, { workerId, queues: ["doomed"], max: 1 });
    await cluster.api.delete(cluster.path("jobqueues/doomed"));
    const { message } = await cluster.condition("jobqueues/doomed", "Ready", "False", "DeletionBlocked");
    expect(message).toContain("jobs of the queue are still running");
    expect(await listHolds(store, "doomed")).toMatchObject([{ name: "spec" }]);
    expect(await claim(store, { workerId, queues: ["doomed"], max: 1 })).toEqual([]);
    if (job) await complete(store, [{ id: job.id, leaseToken: job.leaseToken }]);
    await gone("doomed");
    expect(await jobs("doomed")).toBe(0);
    expect(await queuePolicy(store, "doomed")).toBeUndefined();
    expect(await listHolds(store, "doomed")).toEqual([]);
  });

  it("DeleteIfEmpty removes an empty queue and leaves one that is not", async () => {
    await cluster.jobQueue("empty", { deletionPolicy: "DeleteIfEmpty" });
    await cluster.condition("jobqueues/empty", "Ready", "True");
    await made("full", { deletionPolicy: "DeleteIfEmpty" });
    for (const name of ["empty", "full"]) await cluster.api.delete(cluster.path(`jobqueues/${name}`));
    await gone("empty");
    await gone("full");
    expect(await queuePolicy(store, "empty")).toBeUndefined();
    expect(await jobs("full")).toBe(1);
  });

  it("writing Retain lets a deletion go that waits, and the jobs stay", async () => {
    await made("saved", { deletionPolicy: "Delete" });
    const workerId = await registerWorker(store, { bootId: crypto.randomUUID(), queues: ["saved"], leaseSeconds: 600 });
    await claim(store, { workerId, queues: ["saved"], max: 1 });
    await cluster.api.delete(cluster.path("jobqueues/saved"));
    await cluster.condition("jobqueues/saved", "Ready", "False", "DeletionBlocked");
    await cluster.jobQueue("saved", { deletionPolicy: "Retain" });
    await gone("saved");
    expect(await jobs("saved")).toBe(1);
  });

  it("a JobStore that is gone first, as in a namespace that is deleted, wedges nothing", async () => {
    await made("last", { deletionPolicy: "Delete" });
    await cluster.api.delete(cluster.path("jobstores/default"));
    await cluster.condition("jobqueues/last", "Ready", "False", "StoreNotFound");
    await cluster.api.delete(cluster.path("jobqueues/last"));
    await gone("last");
    expect(await jobs("last")).toBe(1);
  });
});

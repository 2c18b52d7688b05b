import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { listHolds, release, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { tool } from "../../../test/cluster/binaries/binaries.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { describeService } from "../runtime/service.suite.ts";
import { ClusterUnderTest, openStore, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("the lifecycle", () => {
  let cluster: ClusterUnderTest;
  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("lifecycle");
  });
  afterAll(() => cluster.stop());

  for (const leaderElection of [true, false]) {
    describeService(leaderElection ? "an operator" : "an operator without election", () => {
      const servers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length;
      const before = servers();
      return { service: cluster.prepare({ leaderElection }), leftovers: () => servers() - before };
    });
  }
});

describe("an operator between a real API server and a real Postgres", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let store: Database;

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("operator");
    database = await createTestDatabase(adminUrl, { migrated: false });
    store = openStore(database.url);
    await cluster.operator();
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
  });

  afterAll(async () => {
    await cluster.stop();
    await store.close();
    await database.drop();
  });

  it("installs the schema of a new JobStore and says that it can be used", async () => {
    const { message } = await cluster.condition("jobstores/default", "Ready", "True", "Reconciled");
    expect(message).toBe("The store can be used.");
    await cluster.condition("jobstores/default", "SchemaCompatible", "True", "Compatible");
    await cluster.condition("jobstores/default", "Reachable", "True", "Connected");
  });

  it("makes the Deployment of a JobQueue and says Ready when its workers are", async () => {
    await cluster.jobQueue("mailers", { replicas: 2, workers: workersSpec({ alsoServes: ["slow"] }) });
    const { spec, metadata } = await cluster.object("deployments/mailers-workers");
    expect(spec).toMatchObject({ replicas: 2 });
    expect(metadata["ownerReferences"]).toMatchObject([{ kind: "JobQueue", name: "mailers", controller: true }]);
    await cluster.condition("jobqueues/mailers", "Ready", "False", "Progressing");
    await cluster.becomeReady("mailers", 2);
    await cluster.condition("jobqueues/mailers", "Ready", "True", "Reconciled");
    await cluster.condition("jobqueues/mailers", "WorkersAvailable", "True", "MinimumAvailable");
  });

  it("is waited for by kubectl: Ready now, and a condition that never comes ends with an error", async () => {
    const kubectl = await tool("kubectl");
    const wait = (condition: string, seconds: number) =>
      promisify(execFile)(kubectl, [
        `--kubeconfig=${cluster.kubeconfig}`,
        `--namespace=${cluster.namespace}`,
        "wait",
        "jobqueue/mailers",
        `--for=condition=${condition}`,
        `--timeout=${seconds}s`,
      ]);
    expect((await wait("Ready", 20)).stdout).toContain("jobqueue.jobqueue.dev/mailers condition met");
    await expect(wait("Stalled", 1)).rejects.toThrow("timed out waiting for the condition");
  });

  it("shows replicas and selector where kubectl scale and an HPA look, and follows a scale", async () => {
    const scale = `${cluster.path("jobqueues/mailers")}/scale`;
    expect(await cluster.api.get(scale)).toMatchObject({
      spec: { replicas: 2 },
      status: { replicas: 2, selector: "jobqueue.dev/pool=mailers" },
    });
    await cluster.api.patch(scale, { spec: { replicas: 3 } });
    await cluster.object("deployments/mailers-workers", ({ spec }) => (spec as { replicas: number }).replicas === 3);
  });

  it("puts the hold `spec` in force on Paused, and takes it away on Active", async () => {
    await cluster.jobQueue("mailers", {
      state: "Paused",
      pauseReason: "SMTP is down",
      replicas: 2,
      workers: workersSpec(),
    });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedBySpec");
    expect(await listHolds(store, "mailers")).toMatchObject([
      {
        queue: "mailers",
        name: "spec",
        source: "spec",
        reason: "SMTP is down",
        actor: expect.stringContaining(`${cluster.namespace}/mailers`),
      },
    ]);
    expect(await cluster.status("mailers")).toMatchObject({
      pausedBy: "spec",
      holds: [{ name: "spec", reason: "SMTP is down" }],
    });
  });

  it("brings the hold back when somebody removes it by hand", async () => {
    await release(store, { queue: "mailers", name: "spec", actor: "ana", reason: "by hand" });
    const back = await waitFor("the hold to be back", async () => (await listHolds(store, "mailers"))[0], {
      timeoutMs: 20_000,
    });
    expect(back).toMatchObject({ name: "spec", reason: "SMTP is down" });
  });

  it("releases its own hold on Active and leaves the holds of others alone", async () => {
    await store.query("select jobqueue.hold('mailers', 'incident-42', 'investigating', 'ana', 'cli', null)");
    await cluster.jobQueue("mailers", { state: "Active", replicas: 2, workers: workersSpec() });
    await cluster.condition("jobqueues/mailers", "Paused", "True", "PausedByHold");
    await release(store, { queue: "mailers", name: "incident-42", actor: "ana", reason: "done" });
    await cluster.condition("jobqueues/mailers", "Paused", "False", "Active");
    expect(await listHolds(store, "mailers")).toEqual([]);
  });
});

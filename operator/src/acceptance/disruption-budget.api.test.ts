import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest, workersSpec } from "../testing/cluster-under-test.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("what spec.workers makes beside the pods", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  const budgets = () => `/apis/policy/v1/namespaces/${cluster.namespace}/poddisruptionbudgets`;
  const budgetOf = (queue: string) => cluster.api.find(`${budgets()}/${queue}-workers`);
  const budget = (queue: string, looks: (found: KubeObject | undefined) => boolean) =>
    waitFor(`the budget of ${queue} as wanted`, async () => looks(await budgetOf(queue)), { timeoutMs: 30_000 });

  beforeAll(async () => {
    cluster = await ClusterUnderTest.create("budgets");
    database = await createTestDatabase(adminUrl);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    await cluster.operator();
  });

  afterAll(async () => {
    await cluster.stop();
    await database.drop();
  });

  it("a PodDisruptionBudget comes with its field, is put right when somebody changes it, and goes with the field", async () => {
    const uid = (
      await cluster.jobQueue("mailers", { workers: workersSpec({ disruptionBudget: { maxUnavailable: "50%" } }) })
    ).metadata.uid;
    await budget("mailers", (found) => found !== undefined);
    const made = await budgetOf("mailers");
    expect(made?.["spec"]).toEqual({
      maxUnavailable: "50%",
      selector: { matchLabels: { "jobqueue.dev/pool": "mailers" } },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
    expect(made?.metadata["ownerReferences"]).toMatchObject([{ kind: "JobQueue", uid, controller: true }]);
    await cluster.api.patch(`${budgets()}/mailers-workers`, { spec: { maxUnavailable: 0 } });
    await budget("mailers", (found) => JSON.stringify(found?.["spec"]).includes(`"maxUnavailable":"50%"`));
    await cluster.jobQueue("mailers", { workers: workersSpec() });
    await budget("mailers", (found) => found === undefined);
  }, 90_000);

  it("K11: a PodDisruptionBudget of somebody else is reported, never adopted, and the workers run", async () => {
    const foreign = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "taken-workers" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "other" } } },
    };
    await cluster.api.create(budgets(), foreign);
    await cluster.jobQueue("taken", { workers: workersSpec({ disruptionBudget: { maxUnavailable: 1 } }) });
    const { message } = await cluster.condition("jobqueues/taken", "Stalled", "True", "DisruptionBudgetConflict");
    expect(message).toContain("is never adopted");
    await cluster.object("deployments/taken-workers");
    expect((await budgetOf("taken"))?.["spec"]).toEqual(foreign.spec);
    await cluster.jobQueue("taken", { workers: workersSpec() });
    await waitFor(
      "the conflict to be over",
      async () =>
        (await cluster.status("taken")).conditions?.every(({ reason }) => reason !== "DisruptionBudgetConflict"),
      {
        timeoutMs: 30_000,
      },
    );
    expect((await budgetOf("taken"))?.["spec"]).toEqual(foreign.spec);
  }, 90_000);

  it("labels and annotations of the Deployment come and go with deploymentMetadata, and no pod is replaced", async () => {
    const queue = (deploymentMetadata?: object) =>
      cluster.jobQueue("labelled", { workers: workersSpec({ ...(deploymentMetadata && { deploymentMetadata }) }) });
    const deployment = async () => {
      const found = (await cluster.api.get(cluster.path("deployments/labelled-workers"))) as KubeObject & {
        spec: { template: object };
      };
      const { labels, annotations } = found.metadata as unknown as Record<
        "labels" | "annotations",
        Record<string, string>
      >;
      return { labels, annotations, template: found.spec.template };
    };
    await queue();
    await cluster.becomeReady("labelled", 1);
    await cluster.condition("jobqueues/labelled", "Ready", "True");
    const [before, pods] = [await deployment(), await cluster.pods("labelled")];
    await queue({ labels: { team: "growth" }, annotations: { "example.com/owner": "ana" } });
    await waitFor("the label", async () => (await deployment()).labels["team"] === "growth", { timeoutMs: 30_000 });
    expect((await deployment()).annotations["example.com/owner"]).toBe("ana");
    await queue();
    await waitFor("the label to go", async () => (await deployment()).labels["team"] === undefined, {
      timeoutMs: 30_000,
    });
    expect(await deployment()).toEqual(before);
    expect((await cluster.pods("labelled")).map(({ metadata }) => metadata.uid)).toEqual(
      pods.map(({ metadata }) => metadata.uid),
    );
  }, 90_000);
});

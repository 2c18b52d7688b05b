import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { installOperator, uninstallOperator } from "../support/kubernetes/installation.ts";
import { Playground } from "../support/kubernetes/playground.ts";

describe("helm uninstall", () => {
  let ground: Playground;

  beforeAll(async () => {
    await installOperator(inject("cluster"));
    ground = await Playground.create(inject("cluster"), "uninstall");
    await ground.queue({ name: "kept", replicas: 1, workers: { slots: 2 } });
    await ground.condition("jobqueue", "kept", "WorkersAvailable", "True");
  });
  afterAll(async () => {
    await ground?.destroy();
    await installOperator(inject("cluster"));
  });

  it("leaves CRDs, objects, workers and jobs; G20: workers go on without an operator", async () => {
    await uninstallOperator(inject("cluster"));
    expect(await ground.kubectl.get("jobqueue", "kept")).toBeDefined();
    const ids = await ground.naps("kept", 3, 0.1);
    const database = await ground.store();
    await eventually("the jobs to be run", async () => {
      const [row] = await database.query<{ done: string }>(
        "select count(*) as done from jobqueue.job_history where id = any($1::bigint[])",
        [ids],
      );
      return row?.done === "3" ? true : undefined;
    });
  });
});

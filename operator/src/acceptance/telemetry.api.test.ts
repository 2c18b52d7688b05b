import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { OtlpReceiver } from "../../../test/support/otlp/receiver.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { ClusterUnderTest } from "../testing/cluster-under-test.ts";
import { type OperatorProcess, spawnOperator } from "../testing/spawn-operator.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("an operator with an OpenTelemetry SDK in its process", () => {
  let cluster: ClusterUnderTest;
  let database: TestDatabase;
  let receiver: OtlpReceiver;
  let operator: OperatorProcess;
  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    cluster = await ClusterUnderTest.create("telemetry");
    database = await createTestDatabase(adminUrl);
    await cluster.secret("default", database.url);
    await cluster.jobStore("default");
    operator = spawnOperator(cluster.kubeconfig, cluster.namespace, "one", { env: receiver.environment("operator") });
  });
  afterAll(async () => {
    await operator.end();
    await cluster.stop();
    await database.drop();
    await receiver.close();
  });

  it("sends by OTLP what it knows of its stores, measured when it is collected, and what its edge and engine count", async () => {
    const is = { namespace: cluster.namespace, name: "default" };
    const up = `jobqueue_store_up{name="${is.name}",namespace="${is.namespace}"}`;
    await eventually("the store to be up, and looked at", async () => {
      const seen = receiver.metricsOf("operator");
      expect(seen.get(up)).toBe(1);
      expect(seen.get('jobqueue_store_query_seconds_bucket{le="+Inf",result="success"}')).toBeGreaterThan(0);
      return true;
    });
    const seen = receiver.metricsOf("operator");
    expect(seen.get('jobqueue_schedule_ticks_total{outcome="fired"}')).toBe(0);
    expect(seen.get('controller_runtime_max_concurrent_reconciles{controller="jobstore"}')).toBeGreaterThan(0);
    expect([...seen.keys()].filter((series) => series.startsWith("process_cpu_seconds_total"))).toHaveLength(1);
    // What does not hold any more is 0, and a store that is not there is not one that is down.
    const ready = `jobqueue_condition{kind="JobStore",name="default",namespace="${is.namespace}",reason=`;
    const holding = (): string[] =>
      [...receiver.metricsOf("operator")]
        .filter(([key, value]) => key.startsWith(ready) && value === 1)
        .map(([key]) => key);
    await eventually("conditions of the store", async () => (holding().length > 0 ? true : undefined));
    await cluster.api.delete(cluster.path("jobstores/default"));
    await eventually("it to be gone", async () => {
      expect(holding()).toEqual([]);
      expect(receiver.metricsOf("operator").get(up)).not.toBe(1);
      return true;
    });
    expect(receiver.metricsOf("operator").get(up)).not.toBe(0);
  });
});

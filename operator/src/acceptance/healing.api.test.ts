import { enqueueMany, heartbeat, listWorkers, registerWorker, type Database } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import type { WorkerProcess } from "../../../worker/src/testing/worker-process.ts";
import { type ClusterUnderTest, workersSpec } from "../testing/cluster-under-test.ts";
import { FAST_HEALTH, PATIENCE, WorkerPools } from "../testing/worker-pools.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

describe("hung workers of a pool", () => {
  let pools: WorkerPools;
  let cluster: ClusterUnderTest;
  let store: Database;

  const events = async (
    kind: string,
    reason: string,
  ): Promise<readonly { note: string; regarding: { name: string } }[]> => {
    type Events = { items: { reason: string; note: string; regarding: { kind: string; name: string } }[] };
    const { items } = await cluster.api.get<Events & KubeObject>(cluster.path("events"));
    return items.filter((one) => one.reason === reason && one.regarding.kind === kind);
  };

  beforeAll(async () => {
    pools = await WorkerPools.create(adminUrl, "healing");
    ({ cluster, store } = pools);
    await cluster.operator();
  });

  afterAll(() => pools.end());

  it("R2, G16: one of three that is frozen is fenced, its jobs are handed on, and its pod alone is evicted and told of", async () => {
    const workers = await pools.pool("mailers", 3);
    const [frozenPod, frozen] = workers[0] as [KubeObject, WorkerProcess];
    await enqueueMany(store, [{ queue: "mailers", kind: "wait", payload: { file: "/nonexistent" } }]);
    const holder = await waitFor(
      "a worker to run the job",
      async () => (await listWorkers(store)).find(({ running }) => running > 0),
      PATIENCE,
    );
    const [victimPod, victim] = workers.find(([pod]) => pod.metadata.uid === holder.podUid) ?? [frozenPod, frozen];
    victim.signal("SIGSTOP");
    await pools.goneFor(victimPod);
    const others = workers.map(([pod]) => pod).filter((pod) => pod !== victimPod);
    expect(await Promise.all(others.map((pod) => pools.podIs(pod)))).toEqual(others.map(() => "there"));
    expect(await pools.restartsEnded("mailers")).toMatchObject([
      {
        podUid: victimPod.metadata.uid,
        workerId: holder.id,
        reason: "HeartbeatLapsed",
        state: "closed",
        outcome: "gone",
      },
    ]);
    const job = await waitFor(
      "another worker to run the job",
      async () => (await listWorkers(store)).find(({ running, id }) => running > 0 && id !== holder.id),
      PATIENCE,
    );
    expect(job.isLive).toBe(true);
    await waitFor(
      "the status to tell of it",
      async () => (await cluster.status("mailers")).lastRestart?.pod === victimPod.metadata.name,
      PATIENCE,
    );
    await waitFor(
      "an event on the pod",
      async () => (await events("Pod", "WorkerRestarted"))[0]?.regarding.name === victimPod.metadata.name,
      PATIENCE,
    );
    expect((await events("JobQueue", "WorkerRestarted"))[0]?.note).toContain(victimPod.metadata.name);
    const audit = await store.query<{ action: string; actor: string }>(
      "select action, actor from jobqueue.audit_events where action in ('open_restart', 'advance_restart') order by id",
    );
    expect(audit.map(({ action }) => action)).toEqual([
      "open_restart",
      ...Array.from({ length: 4 }, () => "advance_restart"),
    ]);
    expect(audit[0]?.actor).toBe(`jobqueue-operator:${cluster.namespace}/mailers`);
  });

  it("R5: where a disruption budget refuses, it waits and says so, and deletes the pod after evictionTimeoutSeconds", async () => {
    const [[pod, frozen]] = (await pools.pool("guarded", 2)) as [[KubeObject, WorkerProcess]];
    await cluster.api.create(`/apis/policy/v1/namespaces/${cluster.namespace}/poddisruptionbudgets`, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "nobody-leaves" },
      spec: { maxUnavailable: 0, selector: { matchLabels: { "jobqueue.dev/pool": "guarded" } } },
    });
    frozen.signal("SIGSTOP");
    await cluster.condition("jobqueues/guarded", "RestartsSuspended", "True", "DisruptionBudgetRefuses");
    await pools.goneFor(pod);
    expect(await pools.restartsOf("guarded")).toMatchObject([{ podUid: pod.metadata.uid }]);
  });

  it("R9: rows that a worker role can forge restart nobody; a pod without a row is unknown, not hung", async () => {
    await cluster.jobQueue("forged", { replicas: 1, workers: workersSpec({ health: FAST_HEALTH }) });
    const [pod] = await cluster.becomeReady("forged", 1);
    const facts = { podUid: pod?.metadata.uid, pod: pod?.metadata.name, pool: `${cluster.namespace}/forged` };
    const honest = await registerWorker(store, { bootId: "honest", leaseSeconds: 600, concurrency: 2, ...facts });
    const lie = {
      slotsStuck: 2,
      slotsBusy: 2,
      lastClaimAgeMs: 3_600_000,
      lastFinishAgeMs: 3_600_000,
      loopAgeMs: 3_600_000,
    };
    await heartbeat(store, honest, lie);
    await store.query("update jobqueue.workers set started_at = started_at - interval '1 hour' where id = $1", [
      honest,
    ]);
    await cluster.condition("jobqueues/forged", "RestartsSuspended", "True", "NotConfirmed");
    await store.query("delete from jobqueue.workers where id = $1", [honest]);
    await cluster.condition("jobqueues/forged", "Healthy", "True", "AllWorkersHealthy");
    expect(await pools.podIs(pod as KubeObject)).toBe("there");
    expect(await pools.restartsOf("forged")).toEqual([]);
  });

  it("mode Report tells and restarts nobody; a person's request replaces the hung one, once", async () => {
    const workers = await pools.pool("told", 2, { mode: "Report" });
    const [pod, frozen] = workers[0] as [KubeObject, WorkerProcess];
    frozen.signal("SIGSTOP");
    await cluster.condition("jobqueues/told", "RestartsSuspended", "True", "ReportOnly");
    expect((await cluster.condition("jobqueues/told", "Healthy", "False", "WorkersHung")).message).toContain(
      pod.metadata.name,
    );
    expect((await cluster.status("told")).workers?.hung).toBe(1);
    expect(await pools.restartsOf("told")).toEqual([]);
    await cluster.api.patch(cluster.path("jobqueues/told"), {
      metadata: { annotations: { "jobqueue.dev/restart-requested": "now" } },
    });
    await pools.goneFor(pod);
    await waitFor(
      "the request to be told as done",
      async () => (await cluster.status("told")).handledRequests?.restart === "now",
      PATIENCE,
    );
    expect(await pools.restartsOf("told")).toMatchObject([
      { podUid: pod.metadata.uid, asked: true, reason: "Requested" },
    ]);
    expect(await pools.podIs((workers[1] as [KubeObject, WorkerProcess])[0])).toBe("there");
  });
});

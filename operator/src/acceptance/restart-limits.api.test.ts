/** What must not end a pod, with real workers: a slow database (R4), a version that hangs (R6), a pod that is another one (R8). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import type { WorkerProcess } from "../../../worker/src/testing/worker-process.ts";
import { loadAccess } from "../kube/index.ts";
import { about, FaultProxy } from "../kube/testing/fault-proxy.ts";
import { WorkerPools } from "../testing/worker-pools.ts";

const [adminUrl = ""] = Object.values(inject("postgres"));

/** As research of such faults has it: what takes so long is late, and sometimes too late, but the database is there. */
const SLOW = { least: 5_000, most: 20_000 } as const;

/** Twice as long as it takes until a worker that is silent is hung, and then some. */
const SLOW_FOR_MS = 45_000;

/** Five restarts of one template are enough. */
const CRASH_LOOP = 5;

describe.concurrent("what ends no pod", () => {
  let directory: string;
  let api: FaultProxy;
  let kubeconfig: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "restart-limits-"));
    api = await FaultProxy.start(await loadAccess({ kubeconfig: inject("kubeconfig") }));
    kubeconfig = await api.kubeconfig(join(directory, "kubeconfig"));
  });

  afterAll(async () => {
    await api.stop();
    rmSync(directory, { recursive: true });
  });

  /** Pools of its own for each, so that all can wait at the same time. */
  async function withPools(act: (pools: WorkerPools) => Promise<void>): Promise<void> {
    const pools = await WorkerPools.create(adminUrl, "restart-limits");
    try {
      await pools.cluster.operator({ kubeconfig });
      await act(pools);
    } finally {
      await pools.end();
    }
  }

  it(
    "R4: a database that takes 5 to 20 s for everything, for three times as long as a worker may be silent",
    () =>
      withPools(async (pools) => {
        const workers = await pools.pool("patient", 3);
        await pools.cluster.condition("jobqueues/patient", "Healthy", "True");
        pools.proxy.onSent = async () => {
          await sleep(SLOW.least + Math.random() * (SLOW.most - SLOW.least));
          return "pass" as const;
        };
        await sleep(SLOW_FOR_MS);
        pools.proxy.onSent = undefined;
        await pools.cluster.condition("jobqueues/patient", "Healthy", "True", "AllWorkersHealthy");
        expect(await pools.restartsOf("patient")).toEqual([]);
        expect(await Promise.all(workers.map(([pod]) => pools.podIs(pod)))).toEqual(workers.map(() => "there"));
        expect(workers.filter(([, worker]) => worker.isRunning)).toHaveLength(3);
      }),
    180_000,
  );

  it(
    "R6: a version whose every pod hangs is restarted five times, then left alone and told of",
    () =>
      withPools(async (pools) => {
        const [[first, hanging], [other]] = (await pools.pool("broken", 2)) as [Staffed, Staffed];
        const sound = other.metadata.uid;
        let [pod, worker] = [first, hanging];
        for (let restart = 1; restart <= CRASH_LOOP; restart++) {
          worker.signal("SIGSTOP");
          await pools.goneFor(pod);
          await pools.restartsEnded("broken", restart);
          const pods = await pools.cluster.becomeReady("broken", 2);
          pod = pods.find(({ metadata }) => metadata.uid !== sound) as KubeObject;
          worker = await pools.workerIn(pod, "broken");
          // The pauses of one minute, then two, four and eight, pass in the store.
          await pools.store.query(`update jobqueue.restart_intents set opened_at = opened_at - interval '9 minutes',
        updated_at = updated_at - interval '9 minutes', closed_at = closed_at - interval '9 minutes'`);
        }
        worker.signal("SIGSTOP");
        const { message } = await pools.cluster.condition("jobqueues/broken", "Healthy", "False", "CrashLoop");
        expect(message).toContain(pod.metadata.name);
        await pools.cluster.condition("jobqueues/broken", "RestartsSuspended", "True", "CrashLoop");
        expect(await pools.restartsOf("broken")).toHaveLength(CRASH_LOOP);
        expect(await pools.podIs(pod)).toBe("there");
      }),
    300_000,
  );

  it(
    "R8, G16: a pod of the same name that came between the decision and its eviction",
    () =>
      withPools(async (pools) => {
        const [[pod, frozen]] = (await pools.pool("replaced", 2)) as [Staffed, Staffed];
        const { name, uid } = pod.metadata;
        const { namespace } = pools.cluster;
        const { promise: heirIsThere, resolve } = Promise.withResolvers<void>();
        const eviction = about({ verb: "create", resource: "pods", subresource: "eviction", namespace });
        const { spent } = api.add({ when: eviction, fault: { kind: "delay", until: heirIsThere }, times: 1 });
        frozen.signal("SIGSTOP");
        await spent;
        await pools.cluster.removePod(name);
        const heir = await pools.cluster.api.create(pools.cluster.path("pods"), {
          apiVersion: "v1",
          kind: "Pod",
          metadata: { name },
          spec: { containers: [{ name: "another", image: "registry.example/another:1" }] },
        });
        resolve();
        expect(await pools.restartsEnded("replaced")).toMatchObject([
          { podUid: uid, state: "abandoned", outcome: "replaced" },
        ]);
        expect(await pools.podIs(heir)).toBe("there");
      }),
    180_000,
  );
});

type Staffed = [KubeObject, WorkerProcess];

import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { AT_LENGTH } from "../support/kubernetes/at-length.ts";
import { installOperator } from "../support/kubernetes/installation.ts";
import { Playground } from "../support/kubernetes/playground.ts";
import { Pool } from "../support/kubernetes/pool.ts";

describe("scale with real pods", () => {
  let ground: Playground;

  beforeAll(async () => {
    const access = inject("cluster");
    await installOperator(access);
    ground = await Playground.create(access, "scale");
  });
  afterAll(async () => {
    await ground?.destroy();
  });

  it.concurrent("a pool that shrinks gives up idle workers: a busy one is never the victim", async () => {
    const pool = new Pool(ground, "mail");
    await ground.queue({ name: "mail", replicas: 4, workers: { slots: 1, drainTimeoutSeconds: 300 } });
    await pool.ready(4);
    const ids = await ground.jobs("mail", "sleep", { seconds: 40 }, 2);
    const busy = await eventually("two of four workers to be busy", async () => {
      const pods = await Promise.all(ids.map(async (id) => pool.running([id])));
      return new Set(pods.map(({ pod }) => pod)).size === 2 ? pods.map(({ pod }) => pod) : undefined;
    });
    await ground.kubectl.run("scale", "jobqueue/mail", "--replicas=1");
    // Two idle ones go; the third to go would be a busy one, and waits until it is not.
    const two = await eventually("two pods to be left", async () => {
      const pods = (await pool.pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      return pods.length <= 2 ? pods : undefined;
    });
    expect(two.map(({ metadata }) => metadata.name).toSorted()).toEqual(busy.toSorted());
    expect(await pool.fate(ids)).toMatchObject({ completed: 0 });
    expect(await pool.completed(ids)).toEqual({ completed: 2, twice: 0, attempt: 1, recoveries: 0 });
    await pool.ready(1);
    await eventually("status to follow", async () =>
      (await ground.kubectl.get("jobqueue", "mail"))?.status.replicas === 1 ? true : undefined,
    );
  });

  it.runIf(AT_LENGTH)(
    "a pool without workers wakes for the first job, and goes to sleep again",
    { concurrent: true },
    async () => {
      const pool = new Pool(ground, "night");
      const scaleDown = { stabilizationSeconds: 1, cooldownToZeroSeconds: 3, maxPerStep: "100%" };
      const autoscaling = { minReplicas: 0, maxReplicas: 2, jobsPerWorker: 1, scaleDown };
      await ground.queue({ name: "night", workers: { slots: 1, drainTimeoutSeconds: 5, autoscaling } });
      const size = async () => (await ground.kubectl.list("deployments", "jobqueue.dev/pool=night"))[0]?.spec.replicas;
      await eventually("no worker", async () => ((await size()) === 0 ? true : undefined), { timeoutMs: 120_000 });
      const ids = await ground.jobs("night", "sleep", { seconds: 3 }, 2);
      const first = await eventually("a pod", async () => (await pool.pods())[0]);
      const [job] = await (
        await ground.store()
      ).query<{ created: Date }>(
        "select min(created_at) as created from jobqueue.v_jobs where id = any($1::bigint[])",
        [ids],
      );
      // By the store's hint: about a second. Without one it would be a minute; the rest is for a busy machine.
      const awakeMs = Date.parse(first.metadata.creationTimestamp) - (job?.created.getTime() ?? 0);
      expect(awakeMs).toBeLessThan(10_000);
      expect(await pool.completed(ids)).toEqual({ completed: 2, twice: 0, attempt: 1, recoveries: 0 });
      await eventually("no worker again", async () => ((await size()) === 0 ? true : undefined), {
        timeoutMs: 120_000,
      });
    },
  );

  it.runIf(AT_LENGTH)(
    "a HorizontalPodAutoscaler drives it through /scale, in both directions",
    { concurrent: true },
    async () => {
      const pool = new Pool(ground, "video");
      await ground.queue({ name: "video", replicas: 1, workers: { slots: 1, drainTimeoutSeconds: 300 } });
      await pool.ready(1);
      // Outside of its bounds the controller acts without any metric.
      const autoscaler = (minReplicas: number, maxReplicas: number): string =>
        JSON.stringify({
          apiVersion: "autoscaling/v2",
          kind: "HorizontalPodAutoscaler",
          metadata: { name: "video" },
          spec: {
            scaleTargetRef: { apiVersion: "jobqueue.dev/v1alpha1", kind: "JobQueue", name: "video" },
            minReplicas,
            maxReplicas,
            metrics: [
              { type: "External", external: { metric: { name: "none" }, target: { type: "Value", value: "1" } } },
            ],
          },
        });
      await ground.kubectl.apply(autoscaler(3, 3));
      await pool.ready(3);
      const ids = await ground.jobs("video", "sleep", { seconds: 30 }, 1);
      const { pod } = await pool.running(ids);
      await ground.kubectl.apply(autoscaler(1, 1));
      const left = await eventually(
        "one pod to be left",
        async () => {
          const pods = await pool.pods();
          return pods.length === 1 ? pods : undefined;
        },
        { timeoutMs: 120_000 },
      );
      expect(left[0]?.metadata.name).toBe(pod);
      expect(await pool.completed(ids)).toEqual({ completed: 1, twice: 0, attempt: 1, recoveries: 0 });
      await eventually("the autoscaler to see it", async () =>
        (await ground.kubectl.get("hpa", "video"))?.status.currentReplicas === 1 ? true : undefined,
      );
    },
  );
});

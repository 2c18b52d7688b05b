import { recoverStale } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { installOperator } from "../support/kubernetes/installation.ts";
import type { Resource } from "../support/kubernetes/kubectl.ts";
import { Playground } from "../support/kubernetes/playground.ts";

/** For pods that are made, drained and rolled over one after the other. */
const PATIENCE = { timeoutMs: 180_000 };

/** Jobs by state, from the view that people see. */
async function states(ground: Playground, queue: string): Promise<Record<string, number>> {
  const rows = await (
    await ground.store()
  ).query<{ state: string; count: string }>(
    "select state, count(*) from jobqueue.v_jobs where queue = $1 group by state",
    [queue],
  );
  return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]));
}

/** Waits until every job of a queue is completed; returns how many. */
async function allCompleted(ground: Playground, queue: string, count: number): Promise<void> {
  await eventually(
    `${count} completed jobs of ${queue}`,
    async () => {
      const seen = await states(ground, queue);
      return seen["completed"] === count && Object.keys(seen).length === 1 ? true : undefined;
    },
    PATIENCE,
  );
}

async function readyPods(ground: Playground, pool: string, count: number): Promise<Resource[]> {
  return eventually(
    `${count} ready pods of ${pool}`,
    async () => {
      const pods = await ground.kubectl.list("pods", `jobqueue.dev/pool=${pool}`);
      const ready = pods.filter(
        (pod) =>
          pod.metadata.deletionTimestamp === undefined &&
          pod.status?.conditions?.some(
            (c: { type: string; status: string }) => c.type === "Ready" && c.status === "True",
          ),
      );
      return ready.length === count && pods.length === count ? ready : undefined;
    },
    PATIENCE,
  );
}

describe("a JobQueue from kubectl apply to kubectl delete", () => {
  let ground: Playground;
  const pool = { slots: 4, drainTimeoutSeconds: 10 };

  beforeAll(async () => {
    const access = inject("cluster");
    await installOperator(access);
    ground = await Playground.create(access, "lifecycle");
    await ground.queue({ name: "mail", replicas: 2, workers: pool });
    await ground.condition("jobqueue", "mail", "Ready", "True");
    await readyPods(ground, "mail", 2);
  });
  afterAll(async () => {
    await ground?.destroy();
  });

  it("runs jobs in real pods and tells kubectl the truth", async () => {
    await ground.naps("mail", 20, 0.1);
    await allCompleted(ground, "mail", 20);
    const queue = await ground.condition("jobqueue", "mail", "WorkersAvailable", "True");
    expect(queue.status.workers).toMatchObject({ desired: 2, ready: 2 });
    expect(queue.status.observedGeneration).toBe(queue.metadata.generation);
    await eventually("counts back at zero", async () => {
      const jobs = (await ground.kubectl.get("jobqueue", "mail"))?.status.jobs;
      return jobs.pending === 0 && jobs.running === 0 ? true : undefined;
    });
    const table = await ground.kubectl.run("get", "jobqueues");
    expect(table.split("\n")[0]?.split(/\s+/)).toEqual(
      expect.arrayContaining(["NAME", "READY", "PAUSED", "PENDING", "RUNNING", "OLDEST", "WORKERS", "DESIRED", "AGE"]),
    );
  });

  it("G11: a paused manifest stops starts at once, a resumed one finishes the work", async () => {
    await ground.queue({ name: "mail", replicas: 2, state: "Paused", pauseReason: "provider is down", workers: pool });
    const paused = await ground.condition("jobqueue", "mail", "Paused", "True", "PausedBySpec");
    expect(paused.status.pausedBy).toBe("spec");
    expect(paused.status.holds).toMatchObject([{ name: "spec", reason: "provider is down" }]);
    await ground.naps("mail", 5, 0.1);
    // Ready stays True: a paused queue is what its owner asked for.
    await ground.condition("jobqueue", "mail", "Ready", "True");
    await eventually("the paused jobs to be seen", async () =>
      (await ground.kubectl.get("jobqueue", "mail"))?.status.jobs.pending === 5 ? true : undefined,
    );
    expect(await states(ground, "mail")).toMatchObject({ pending: 5 });
    await ground.queue({ name: "mail", replicas: 2, workers: pool });
    await ground.condition("jobqueue", "mail", "Paused", "False");
    await allCompleted(ground, "mail", 25);
  });

  it("kubectl scale jobqueue changes the pool and nothing else", async () => {
    await ground.kubectl.run("scale", "jobqueue/mail", "--replicas=3");
    await readyPods(ground, "mail", 3);
    await eventually("status.replicas to follow", async () =>
      (await ground.kubectl.get("jobqueue", "mail"))?.status.replicas === 3 ? true : undefined,
    );
    await ground.kubectl.run("scale", "jobqueue/mail", "--replicas=2");
    await readyPods(ground, "mail", 2);
  });

  it("an edited template rolls the pool over without losing a job or spending an attempt", async () => {
    const before = new Set((await readyPods(ground, "mail", 2)).map((pod) => pod.metadata.uid));
    const ids = await ground.naps("mail", 40, 0.5);
    await ground.queue({ name: "mail", replicas: 2, workers: { ...pool, annotations: { release: "2" } } });
    await eventually(
      "two pods of the new template",
      async () => {
        const pods = await readyPods(ground, "mail", 2);
        return pods.every((pod) => !before.has(pod.metadata.uid)) ? true : undefined;
      },
      PATIENCE,
    );
    await allCompleted(ground, "mail", 65);
    const rows = await (
      await ground.store()
    ).query<{ attempt: number; jobs: string }>(
      "select attempt, count(*) as jobs from jobqueue.v_jobs where id = any($1::bigint[]) group by attempt",
      [ids],
    );
    expect(rows).toEqual([{ attempt: 1, jobs: "40" }]);
  });

  it("G8: jobs of a deleted pod are run again elsewhere about a second after it is gone, and finished once", async () => {
    const ids = await ground.naps("mail", 4, 8);
    const store = await ground.store();
    const holder = await eventually("a worker that runs one of them", async () => {
      const rows = await store.query<{ pod: string }>(
        "select w.pod from jobqueue.jobs j join jobqueue.workers w on w.id = j.worker_id where j.id = any($1::bigint[]) limit 1",
        [ids],
      );
      return rows[0]?.pod;
    });
    await ground.kubectl.run("delete", "pod", holder, "--grace-period=0", "--force");
    await allCompleted(ground, "mail", 69);
    const twice = await store.query("select id from jobqueue.job_history group by id having count(*) > 1");
    expect(twice).toEqual([]);
  });

  it("G18: deleting the JobQueue removes its pool and keeps its jobs", async () => {
    await ground.queue({ name: "mail", replicas: 0, workers: pool });
    await readyPods(ground, "mail", 0);
    await ground.naps("mail", 7, 0.1);
    await ground.kubectl.run("delete", "jobqueue", "mail");
    await eventually("the Deployment to go", async () =>
      (await ground.kubectl.list("deployments")).length === 0 ? true : undefined,
    );
    expect(await recoverStale(await ground.store())).toEqual([]);
    expect(await states(ground, "mail")).toEqual({ completed: 69, pending: 7 });
  });
});

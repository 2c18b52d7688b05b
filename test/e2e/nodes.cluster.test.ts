import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import {
  cutOff,
  faultyNodes,
  freezeNode,
  killNode,
  reconnect,
  startKubelet,
  startNode,
  stopKubelet,
  thawNode,
  uncordon,
  waitForNode,
} from "../cluster/node-faults.ts";
import { eventually } from "../support/eventually.ts";
import { installOperator } from "../support/kubernetes/installation.ts";
import type { Resource } from "../support/kubernetes/kubectl.ts";
import { Playground } from "../support/kubernetes/playground.ts";
import { Pool, restarts } from "../support/kubernetes/pool.ts";

/** Seconds that a worker's lease lasts here. */
const LEASE = 10;
/** G8: lease, sweep interval and 5 s, and the time a job of these tests takes to run again. */
const RECOVERED_MS = (LEASE + 10 + 5 + 10) * 1_000;

/** Taints of a node that does not answer; five minutes unless a pod says otherwise. */
const GIVE_UP_AFTER_5_S = ["unreachable", "not-ready"].map((taint) => ({
  key: `node.kubernetes.io/${taint}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 5,
}));

/** A pod on each node, as far as nodes go round. */
const SPREAD = {
  tolerations: GIVE_UP_AFTER_5_S,
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: { "jobqueue.dev/pool": "mail" } },
          },
        },
      ],
    },
  },
};

describe("nodes that fail under a pool of workers", () => {
  let ground: Playground;
  let pool: Pool;
  let node: string;
  /** What has to be undone, also when a test fails half way: the next one needs the node. */
  let undo: (() => Promise<void>) | undefined;

  const manifest = {
    name: "mail",
    replicas: 2,
    workers: { slots: 2, drainTimeoutSeconds: 20, args: ["--lease", String(LEASE)], pod: SPREAD },
  };

  /** The pod on the node that will fail, with jobs that run in it and in the other one. */
  async function withJobOnNode(seconds: number): Promise<{ readonly pod: Resource; readonly ids: string[] }> {
    const pod = (await pool.oneOnEach(2)).find(({ spec }) => spec.nodeName === node);
    if (pod === undefined) throw new Error(`no pod on ${node}`);
    const ids = await ground.jobs("mail", "sleep", { seconds }, 4); // both workers have two slots
    await pool.running(ids, pod.metadata.name);
    return { pod, ids };
  }

  beforeAll(async () => {
    const access = inject("cluster");
    await installOperator(access);
    const [steady = "", faulty = ""] = await faultyNodes();
    node = faulty;
    await uncordon(node); // a run that was ended half way may have left it so
    ground = await Playground.create(access, "nodes", { postgresNode: steady });
    pool = new Pool(ground, "mail");
    await ground.queue(manifest);
    await ground.condition("jobqueue", "mail", "WorkersAvailable", "True");
  });
  afterEach(async () => {
    if (!undo) return;
    await undo();
    undo = undefined;
    await waitForNode(node, "True");
  });
  afterAll(async () => {
    await ground?.destroy();
  });

  it("N3: a drained node costs no job and counts as no restart", async () => {
    const { pod, ids } = await withJobOnNode(8);
    undo = async () => uncordon(node);
    // Only what is ours to watch: namespaces of other tests may still be on their way out there.
    const own = "--pod-selector=jobqueue.dev/pool=mail";
    await ground.kubectl.run("drain", node, own, "--delete-emptydir-data", "--timeout=120s");
    expect(await pool.completed(ids)).toEqual({ completed: 4, twice: 0, attempt: 1, recoveries: 0 });
    const left = await pool.ready(2);
    expect(left.map(({ metadata }) => metadata.uid)).not.toContain(pod.metadata.uid);
    expect((await ground.kubectl.get("jobqueue", "mail"))?.status.lastRestart).toBeUndefined();
  });

  it("N2: a kubelet that stopped confirms no deletion: said, waited for, and the worker there finishes what it has", async () => {
    const { pod, ids } = await withJobOnNode(8);
    undo = async () => startKubelet(node);
    await stopKubelet(node);
    await ground.kubectl.run("delete", "pod", pod.metadata.name, "--wait=false");
    // The process lives and renews its lease: nothing is taken from it.
    expect(await pool.completed(ids)).toMatchObject({ twice: 0, attempt: 1, recoveries: 0 });
    await waitForNode(node, "Unknown");
    await eventually("the status to say what it waits for", async () => {
      const message = await pool.message("WorkersAvailable");
      return message.includes(`That pod ${pod.metadata.name} has ended is awaited`) ? true : undefined;
    });
    const waiting = await ground.kubectl.get("pod", pod.metadata.name);
    expect(waiting?.metadata.uid).toBe(pod.metadata.uid);
    await undo();
    undo = undefined;
    await waitForNode(node, "True");
    await eventually("the pod to go", async () =>
      (await ground.kubectl.get("pod", pod.metadata.name)) ? undefined : true,
    );
    await ground.condition("jobqueue", "mail", "Ready", "True");
    await expect.poll(async () => pool.message("WorkersAvailable")).toBe("2 of 2 workers are ready.");
    expect((await ground.kubectl.get("jobqueue", "mail"))?.status.lastRestart).toBeUndefined();
  });

  it("N1, G5: a node cut off: replaced, its jobs run elsewhere by lease, the worker that lives on there changes nothing", async () => {
    const { pod, ids } = await withJobOnNode(12);
    undo = async () => reconnect(node);
    await cutOff(node);
    const fate = await pool.completed(ids, RECOVERED_MS + 12_000);
    expect(fate).toMatchObject({ twice: 0, attempt: 1 });
    expect(fate.recoveries).toBeGreaterThanOrEqual(1);
    await waitForNode(node, "Unknown");
    await eventually(
      "two workers that are ready, without the one cut off",
      async () => ((await pool.ready(2)).every(({ metadata }) => metadata.uid !== pod.metadata.uid) ? true : undefined),
      { timeoutMs: 180_000 },
    );
    await eventually("the status to say what it waits for", async () => {
      const message = await pool.message("WorkersAvailable");
      return message.includes(`the node ${node} does not answer`) ? true : undefined;
    });
    // It is on its way out by Kubernetes' own decision, and nobody forces it.
    const waiting = await ground.kubectl.get("pod", pod.metadata.name);
    expect(waiting?.metadata).toMatchObject({ uid: pod.metadata.uid, deletionGracePeriodSeconds: 35 });
    await undo();
    undo = undefined;
    await waitForNode(node, "True");
    await eventually("the pod to go", async () =>
      (await ground.kubectl.get("pod", pod.metadata.name)) ? undefined : true,
    );
    expect(await pool.fate(ids)).toEqual(fate);
    expect((await ground.kubectl.get("jobqueue", "mail"))?.status.lastRestart).toBeUndefined();
  });

  it("N1, G5: a frozen node, as a suspended machine: its jobs run elsewhere by lease; thawed, it changes nothing", async () => {
    const { pod, ids } = await withJobOnNode(6);
    const before = restarts([pod]);
    undo = async () => thawNode(node);
    await freezeNode(node);
    const fate = await pool.completed(ids, RECOVERED_MS);
    expect(fate).toMatchObject({ twice: 0, attempt: 1 });
    expect(fate.recoveries).toBeGreaterThanOrEqual(1);
    await undo();
    undo = undefined;
    await eventually("the thawed worker to be told that its lease is lost", async () => {
      const log = await ground.kubectl.run("logs", pod.metadata.name);
      return log.includes("the lease is lost") ? true : undefined;
    });
    expect(await pool.fate(ids)).toEqual(fate);
    await waitForNode(node, "True");
    await ground.condition("jobqueue", "mail", "Ready", "True");
    expect(restarts((await pool.pods()).filter(({ metadata }) => metadata.uid === pod.metadata.uid))).toEqual(before);
  });

  it("N1: a node that loses its power: its jobs run elsewhere by lease, its worker comes back with it", async () => {
    const { pod, ids } = await withJobOnNode(6);
    undo = async () => startNode(node);
    await killNode(node);
    const fate = await pool.completed(ids, RECOVERED_MS);
    expect(fate).toMatchObject({ twice: 0, attempt: 1 });
    expect(fate.recoveries).toBeGreaterThanOrEqual(1);
    await undo();
    undo = undefined;
    await waitForNode(node, "True");
    await pool.ready(2);
    const again = await ground.jobs("mail", "sleep", { seconds: 2 }, 4);
    expect(await pool.completed(again)).toMatchObject({ twice: 0, attempt: 1 });
    expect(pod.metadata.uid).toBeDefined();
  });
});

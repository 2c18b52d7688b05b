import { setTimeout as sleep } from "node:timers/promises";
import { existsSync } from "node:fs";
import { LABEL_POOL } from "@jobqueue/crds";
import { defineHandler, handlersFrom, readConfig, Worker } from "@jobqueue/worker";
import { pino } from "pino";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import type { ClusterUnderTest } from "./cluster-under-test.ts";
import { podEnvironment } from "./pod-environment.ts";
import { PodOnNode, type RunPod } from "./pod-on-node.ts";

/** Ends when a file appears. */
const wait = defineHandler<{ file: string }>("wait", async ({ file }, { signal }) => {
  while (!existsSync(file)) await sleep(20, undefined, { signal });
});

/** Runs the worker of a pod in this process, one job at a time. */
export function workerHere(databaseUrl: string): RunPod {
  return (pod) => {
    const env = { ...podEnvironment(pod, databaseUrl), JOBQUEUE_HANDLERS: "given.ts", JOBQUEUE_SLOTS: "1" };
    const log = pino({ level: "silent" });
    const worker = new Worker({ config: readConfig(env, []), handlers: handlersFrom([wait]), log, exit: () => {} });
    const started = worker.start();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const stop = async (): Promise<void> => {
      await started.catch(() => {});
      await worker.stop();
      resolve();
    };
    return {
      started,
      ended,
      stop: () => void stop(),
      kill: () => {
        worker.hurry();
        void stop();
      },
    };
  };
}

/** Which pods are played, and how. */
export interface KubeletsOptions {
  readonly cluster: ClusterUnderTest;
  readonly run: RunPod;
  /** Of this JobQueue only; of all of the namespace when absent. */
  readonly pool?: string;
}

/** How often the API server is asked for pods. */
const LOOK_MS = 150;

/** How often the node says that it is there; after 40 s without it its pods are given up. */
const NODE_EVERY_MS = 5_000;

/** Of a pod that was taken away without asking its node. */
const FORCED_GRACE_SECONDS = 5;

/**
 * A node and its kubelet, for pods of a control plane without nodes: takes every pod of ours, runs a worker for each as `run`
 * says, and lets a pod go when its worker has ended. Which pods there are, and which of them go, is the doing of the real
 * controllers. An API server that is away is waited for, as a kubelet does.
 */
export class Kubelets {
  readonly #options: KubeletsOptions;
  readonly #node: string;
  readonly #pods = new Map<string, PodOnNode>();
  #loop: Promise<void> | undefined;
  #stopping = false;
  #nodeSaidAt = -Infinity;
  /** Names of pods in the order in which they were deleted. */
  readonly deleted: string[] = [];

  constructor(options: KubeletsOptions) {
    this.#options = options;
    this.#node = `node-of-${options.cluster.namespace}`;
  }

  /** Begins; what it starts is ended by `stop`. */
  start(): void {
    this.#loop ??= (async () => {
      while (!this.#stopping) {
        await this.#turn().catch(() => {}); // the API server is away; the pods run on
        await sleep(LOOK_MS);
      }
    })();
  }

  /** Ends all workers at once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop;
    await Promise.all([...this.#pods.values()].map((pod) => pod.abandon()));
    await this.#options.cluster.api.delete(`/api/v1/nodes/${this.#node}`).catch(() => {});
  }

  /** How many pods of a pool are ready. */
  readyPods(pool: string): number {
    return [...this.#pods.values()].filter(({ isReady, pod }) => isReady && poolOf(pod) === pool).length;
  }

  async #turn(): Promise<void> {
    const { cluster, pool, run } = this.#options;
    await this.#sayNode();
    const selector = pool === undefined ? LABEL_POOL : `${LABEL_POOL}=${pool}`;
    const { items } = await cluster.api.get<{ items: KubeObject[] }>(
      `${cluster.path("pods")}?labelSelector=${encodeURIComponent(selector)}`,
    );
    const there = new Set(items.map(({ metadata }) => metadata.uid));
    for (const [uid, known] of this.#pods) if (!there.has(uid)) this.#leave(known, FORCED_GRACE_SECONDS);
    for (const pod of items) {
      const { uid = "", name, deletionTimestamp, deletionGracePeriodSeconds: grace } = pod.metadata;
      const known = this.#pods.get(uid);
      if (known && deletionTimestamp !== undefined) this.#leave(known, Number(grace));
      known?.see(pod);
      if (known || deletionTimestamp !== undefined || this.#stopping) continue;
      const spec = pod["spec"] as { readonly nodeName?: string };
      if (spec.nodeName === undefined) await this.#bind(name);
      const bound = { ...pod, spec: { ...spec, nodeName: this.#node } };
      this.#pods.set(uid, new PodOnNode(cluster, bound, run));
    }
  }

  async #bind(name: string): Promise<void> {
    const { cluster } = this.#options;
    await cluster.api.create(cluster.path(`pods/${name}/binding`), {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name },
      target: { apiVersion: "v1", kind: "Node", name: this.#node },
    });
  }

  #leave(pod: PodOnNode, graceSeconds: number): void {
    if (!pod.leave(graceSeconds)) return;
    const { name, uid = "" } = pod.pod.metadata;
    this.deleted.push(name);
    void pod.over.then(() => this.#pods.delete(uid));
  }

  /** The node is there and ready, and its Lease says until when. */
  async #sayNode(): Promise<void> {
    const now = performance.now();
    if (now - this.#nodeSaidAt < NODE_EVERY_MS) return;
    const { api } = this.#options.cluster;
    await this.#makeNodeReady();
    await api.apply(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${this.#node}`, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: this.#node },
      spec: {
        holderIdentity: this.#node,
        leaseDurationSeconds: 40,
        renewTime: new Date().toISOString().replace("Z", "000Z"),
      },
    });
    this.#nodeSaidAt = now;
  }

  /** Also when it was given up meanwhile: an API server that was away for long heard nothing of it. */
  async #makeNodeReady(): Promise<void> {
    const { api } = this.#options.cluster;
    const path = `/api/v1/nodes/${this.#node}`;
    const node = await api.find<KubeObject & { status?: { conditions?: { type: string; status: string }[] } }>(path);
    if (node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return;
    const lastHeartbeatTime = new Date().toISOString();
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime };
    const status = { conditions: [{ ...ready, lastTransitionTime: lastHeartbeatTime }] };
    if (node === undefined) await api.create("/api/v1/nodes", { metadata: { name: this.#node }, status });
    else await api.patch(`${path}/status`, { status });
  }
}

const poolOf = ({ metadata }: KubeObject): string | undefined =>
  (metadata["labels"] as Record<string, string> | undefined)?.[LABEL_POOL];

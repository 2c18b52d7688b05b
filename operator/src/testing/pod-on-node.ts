import { setTimeout as sleep } from "node:timers/promises";
import { WORKER_CONTAINER } from "@jobqueue/crds";
import { ApiError, type KubeObject } from "../../../test/support/api-server/api-client.ts";
import type { ClusterUnderTest } from "./cluster-under-test.ts";

/** What runs in a pod, as its kubelet starts and ends it. */
export interface PodProcess {
  /** Resolves when it works; rejects when it never will. */
  readonly started: Promise<unknown>;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
  /** Asks it to drain. */
  readonly stop: () => void;
  /** Ends it at once. */
  readonly kill: () => void;
  /** Its readiness probe; absent: it is ready while it runs. */
  readonly isReady?: () => Promise<boolean>;
}

/** Starts the process of a pod. */
export type RunPod = (pod: KubeObject) => PodProcess;

/** Between two probes, and how many must fail; shorter than what the operator writes into pods, as all times of tests. */
const PROBE = { everyMs: 2_000, failures: 3 } as const;

/** Before a process that ended by itself is started again in its pod. */
const RESTART_MS = 1_000;

/** Between two tries to tell the API server. */
const RETRY_MS = 500;

/**
 * A pod on its node: its process is started again when it ends by itself, its status says how it is, and once the pod is to go the
 * process drains, is ended when the grace is over, and only then the API server is told that the pod is gone.
 */
export class PodOnNode {
  readonly pod: KubeObject;
  /** Resolves when the process has ended for good and the API server knows. */
  readonly over: Promise<void>;
  readonly #cluster: ClusterUnderTest;
  readonly #run: RunPod;
  #process: PodProcess | undefined;
  #startedAt = "";
  #restarts = 0;
  #ready = false;
  /** Whether the API server has heard of what is so now. */
  #said = false;
  #leaving = false;
  #abandoned = false;

  constructor(cluster: ClusterUnderTest, pod: KubeObject, run: RunPod) {
    this.#cluster = cluster;
    this.pod = pod;
    this.#run = run;
    this.over = this.#live();
  }

  /** Whether it was said to be ready, and is not about to go. */
  get isReady(): boolean {
    return this.#ready && !this.#leaving;
  }

  /** The pod was deleted. Repeatable. Returns whether that was new. */
  leave(graceSeconds: number): boolean {
    if (this.#leaving) return false;
    this.#leaving = true;
    this.#process?.stop();
    const timer = setTimeout(() => this.#process?.kill(), graceSeconds * 1_000);
    void this.over.then(() => clearTimeout(timer));
    return true;
  }

  /** What the API server shows of it. Somebody else may have said that it is not ready: of a node that was silent for long. */
  see(shown: KubeObject): void {
    const { conditions = [] } = (shown["status"] ?? {}) as { conditions?: { type: string; status: string }[] };
    const shownReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
    if (this.#said && !this.#leaving && shownReady !== this.#ready) void this.#say(this.#ready);
  }

  /** Ends the process at once, and tells nobody. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.#leaving = true;
    this.#process?.kill();
    await this.over;
  }

  async #live(): Promise<void> {
    while (!this.#leaving) {
      this.#startedAt = new Date().toISOString();
      const process = this.#run(this.pod);
      this.#process = process;
      await this.#attend(process);
      if (this.#leaving) break;
      this.#restarts += 1;
      await this.#say(false);
      await sleep(RESTART_MS);
    }
    const { name, uid } = this.pod.metadata;
    const options = { gracePeriodSeconds: 0, preconditions: { uid } };
    await this.#insist(() => this.#cluster.api.send("DELETE", this.#cluster.path(`pods/${name}`), options));
  }

  /** Until it has ended: says whether it is ready. */
  async #attend(process: PodProcess): Promise<void> {
    const state = { ended: false };
    const ended = (async () => {
      await process.ended;
      state.ended = true;
    })();
    // One that does not start is found out by its probe.
    await Promise.race([process.started, ended]).catch(() => {});
    for (let failures = 0; !state.ended;) {
      failures = ((await process.isReady?.()) ?? true) ? 0 : failures + 1;
      const ready = failures === 0 || (this.#ready && failures < PROBE.failures);
      if (ready !== this.#ready && !state.ended) await this.#say(ready);
      await Promise.race([ended, sleep(PROBE.everyMs)]);
    }
  }

  async #say(ready: boolean): Promise<void> {
    this.#ready = ready;
    this.#said = false;
    const lastTransitionTime = new Date().toISOString();
    const conditions = ["Initialized", "PodScheduled", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: ready || type === "Initialized" || type === "PodScheduled" ? "True" : "False",
      lastTransitionTime,
    }));
    const [{ image = "" } = {}] = (this.pod["spec"] as { containers: { image?: string }[] }).containers;
    const container = {
      name: WORKER_CONTAINER,
      image,
      imageID: "",
      ready,
      started: true,
      restartCount: this.#restarts,
      state: { running: { startedAt: this.#startedAt } },
      lastState: this.#restarts === 0 ? {} : { terminated: { exitCode: 1, reason: "Error" } },
    };
    const status = { phase: "Running", conditions, containerStatuses: [container] };
    await this.#insist(() =>
      this.#cluster.api.patch(`${this.#cluster.path(`pods/${this.pod.metadata.name}`)}/status`, { status }),
    );
    if (this.#ready === ready) this.#said = true;
  }

  /** Again and again until it is done, or the pod is not there any more: the API server may be away. */
  async #insist(tell: () => Promise<unknown>): Promise<void> {
    while (!this.#abandoned) {
      try {
        await tell();
        return;
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return;
        await sleep(RETRY_MS);
      }
    }
  }
}

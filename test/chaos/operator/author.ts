import { setTimeout as sleep } from "node:timers/promises";
import { ANNOTATIONS } from "@jobqueue/crds";
import type { ClusterUnderTest } from "../../../operator/src/testing/cluster-under-test.ts";
import { eventually } from "../../support/eventually.ts";
import { QUEUES } from "../producer.ts";
import type { Random } from "../random.ts";
import { LIMITS } from "../scene.ts";

/** As fast as the CRD allows, so that a round sees restarts. */
export const HEALTH = {
  heartbeatTimeoutSeconds: 15,
  startupGraceSeconds: 0,
  minSecondsBetweenRestarts: 0,
  stormCooldownSeconds: 0,
  evictionTimeoutSeconds: 5,
  hungGracePeriodSeconds: 1,
  maxConcurrentRestarts: 1,
} as const;

/** What the author wants of one JobQueue. */
export interface Wanted {
  state: "Active" | "Paused" | "Stopped";
  replicas: number;
  /** Which image: another one is a roll-out. */
  version: number;
}

/** How long it may take until the API server has taken what is wanted, milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Who writes the JobQueues: pauses, stops, scales, rolls out, asks for restarts, deletes and makes again, as people and Git do. What
 * the API server does not take is written again the next time.
 */
export class Author {
  readonly #cluster: ClusterUnderTest;
  readonly #random: Random;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | undefined;
  readonly wanted: ReadonlyMap<string, Wanted>;

  constructor(cluster: ClusterUnderTest, random: Random) {
    this.#cluster = cluster;
    this.#random = random;
    const replicas: Readonly<Record<string, number>> = { [QUEUES.plain]: 2, [QUEUES.limited]: 2, [QUEUES.keyed]: 1 };
    this.wanted = new Map(
      Object.entries(replicas).map(([name, count]) => [name, { state: "Active", replicas: count, version: 1 }]),
    );
  }

  /** Writes everything as it is wanted, however long it takes. */
  async write(): Promise<void> {
    for (const name of this.wanted.keys()) await this.#surely(() => this.#apply(name));
    await this.#surely(() => this.#cluster.jobStore("default", { state: "Active" }));
  }

  /** Begins to change its mind. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Writes no more of its own accord. */
  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Ends with everything active, and as many workers as were wanted last. */
  async settle(): Promise<void> {
    await this.end();
    for (const wanted of this.wanted.values()) wanted.state = "Active";
    await this.write();
  }

  /** Pauses one. */
  async pause(name: string): Promise<void> {
    this.#want(name).state = "Paused";
    await this.#surely(() => this.#apply(name));
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#wait(2_000, 7_000);
      try {
        await this.#act(this.#random.pick([...this.wanted.keys()]));
      } catch {
        // The API server is away; what is wanted is written with the next change.
      }
    }
  }

  async #act(name: string): Promise<void> {
    const random = this.#random;
    const wanted = this.#want(name);
    const roll = random.next();
    if (roll < 0.35) {
      await this.#forAWhile(name, "Paused", 500, 4_000);
    } else if (roll < 0.42) {
      await this.#forAWhile(name, "Stopped", 1_000, 5_000);
    } else if (roll < 0.65) {
      wanted.replicas = random.whole(1, 3);
      await this.#apply(name);
    } else if (roll < 0.75) {
      wanted.version += 1;
      await this.#apply(name);
    } else if (roll < 0.83) {
      await this.#cluster.jobStore("default", { state: "Paused", pauseReason: "the round says so" });
      await this.#wait(500, 3_000);
      await this.#cluster.jobStore("default", { state: "Active" });
    } else if (roll < 0.9) {
      const annotations = { [ANNOTATIONS.restartRequested.name]: `request ${random.whole(1, 1_000_000)}` };
      await this.#cluster.api.patch(this.#cluster.path(`jobqueues/${name}`), { metadata: { annotations } });
    } else {
      await this.#cluster.api.delete(this.#cluster.path(`jobqueues/${name}`));
      await this.#wait(0, 4_000);
      await this.#apply(name);
    }
  }

  async #forAWhile(name: string, state: Wanted["state"], least: number, most: number): Promise<void> {
    const wanted = this.#want(name);
    wanted.state = state;
    try {
      await this.#apply(name);
      await this.#wait(least, most);
    } finally {
      wanted.state = "Active";
    }
    await this.#apply(name);
  }

  async #apply(name: string): Promise<void> {
    const { state, replicas, version } = this.#want(name);
    const concurrency = LIMITS.find((limit) => limit.queue === name && "maxRunning" in limit);
    await this.#cluster.jobQueue(name, {
      state,
      ...(state === "Paused" && { pauseReason: "the round says so" }),
      replicas,
      ...(concurrency && "maxRunning" in concurrency && { concurrency: concurrency.maxRunning }),
      workers: {
        template: { spec: { containers: [{ name: "worker", image: `registry.example/worker:${version}` }] } },
        drainTimeoutSeconds: 5,
        health: HEALTH,
        ...(name === QUEUES.limited && { disruptionBudget: { maxUnavailable: 1 } }),
      },
    });
  }

  #want(name: string): Wanted {
    const wanted = this.wanted.get(name);
    if (!wanted) throw new Error(`there is no queue ${name}`);
    return wanted;
  }

  async #wait(least: number, most: number): Promise<void> {
    await sleep(this.#random.between(least, most), undefined, { signal: this.#stopping.signal }).catch(() => {});
  }

  async #surely(write: () => Promise<unknown>): Promise<void> {
    const written = async (): Promise<true> => {
      await write();
      return true;
    };
    await eventually("the API server to take it", written, { timeoutMs: PATIENCE_MS });
  }
}

/** Pools of real worker processes in pods of a real API server, healed by an operator: what tests of healing act on. */
import { type Database, listRestarts, type RestartRow } from "@jobqueue/store";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import type { KubeObject } from "../../../test/support/api-server/api-client.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { WorkerProcess } from "../../../worker/src/testing/worker-process.ts";
import { ClusterUnderTest, openStore, workersSpec } from "./cluster-under-test.ts";
import { podEnvironment } from "./pod-environment.ts";

/** As fast as the CRD allows. */
export const FAST_HEALTH = {
  heartbeatTimeoutSeconds: 15,
  startupGraceSeconds: 0,
  minSecondsBetweenRestarts: 0,
  stormCooldownSeconds: 0,
  evictionTimeoutSeconds: 5,
};

/** For what a machine that is busy takes longer for. */
export const PATIENCE = { timeoutMs: 60_000 };

/** See the head of this file. */
export class WorkerPools {
  readonly cluster: ClusterUnderTest;
  /** The way of a person to the store, which nothing is in. */
  readonly store: Database;
  /** In the way of workers and operators. */
  readonly proxy: PostgresProxy;
  readonly #database: TestDatabase;
  readonly #processes: WorkerProcess[] = [];

  private constructor(cluster: ClusterUnderTest, database: TestDatabase, proxy: PostgresProxy) {
    this.cluster = cluster;
    this.#database = database;
    this.proxy = proxy;
    this.store = openStore(database.url);
  }

  /** A namespace with a JobStore `default`; its operators are the test's to start. */
  static async create(adminUrl: string, prefix: string): Promise<WorkerPools> {
    const cluster = await ClusterUnderTest.create(prefix);
    const database = await createTestDatabase(adminUrl);
    const pools = new WorkerPools(cluster, database, await PostgresProxy.create(database.url));
    await cluster.secret("default", pools.proxy.url);
    await cluster.jobStore("default");
    return pools;
  }

  /** A pool of workers in pods that say that they are ready. */
  async pool(name: string, replicas: number, health: object = {}): Promise<[KubeObject, WorkerProcess][]> {
    await this.cluster.jobQueue(name, { replicas, workers: workersSpec({ health: { ...FAST_HEALTH, ...health } }) });
    const pods = await this.cluster.becomeReady(name, replicas);
    return Promise.all(pods.map(async (pod) => [pod, await this.workerIn(pod, name)] as [KubeObject, WorkerProcess]));
  }

  /** A worker process that takes itself for the one of a pod. */
  async workerIn(pod: KubeObject, poolName: string): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start({
      databaseUrl: this.proxy.url,
      queues: poolName,
      env: { ...podEnvironment(pod, this.proxy.url), JOBQUEUE_SWEEP_SECONDS: "3600" },
    });
    this.#processes.push(worker);
    return worker;
  }

  /** What was decided about the workers of a pool. */
  async restartsOf(name: string): Promise<readonly RestartRow[]> {
    return (await listRestarts(this.store)).filter((row) => row.pool === `${this.cluster.namespace}/${name}`);
  }

  /** Waits until nothing of it is under way any more; returns it. */
  async restartsEnded(name: string, count = 1): Promise<readonly RestartRow[]> {
    return waitFor(
      `${count} intents of ${name} to be closed`,
      async () => {
        const found = await this.restartsOf(name);
        return found.length >= count && found.every(({ isOpen }) => !isOpen) ? found : undefined;
      },
      PATIENCE,
    );
  }

  /** Whether exactly this pod is there. */
  async podIs(pod: KubeObject): Promise<"there" | "gone"> {
    const found = await this.cluster.api.find(this.cluster.path(`pods/${pod.metadata.name}`));
    return found?.metadata.uid === pod.metadata.uid ? "there" : "gone";
  }

  /** Waits until exactly this pod is gone. */
  async goneFor(pod: KubeObject): Promise<void> {
    await waitFor(`pod ${pod.metadata.name} to be gone`, async () => (await this.podIs(pod)) === "gone", PATIENCE);
  }

  /** Ends everything. */
  async end(): Promise<void> {
    this.proxy.onSent = undefined;
    await this.cluster.stop();
    for (const worker of this.#processes) worker.signal("SIGKILL");
    await Promise.all(this.#processes.map(({ exited }) => exited));
    await this.store.close();
    await this.proxy.close();
    await this.#database.drop();
  }
}

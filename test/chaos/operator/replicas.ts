import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type OperatorProcess,
  type OperatorTimes,
  spawnOperator,
} from "../../../operator/src/testing/spawn-operator.ts";
import type { ClusterUnderTest } from "../../../operator/src/testing/cluster-under-test.ts";
import type { KubeObject } from "../../support/api-server/api-client.ts";
import { createServiceAccount } from "../../support/api-server/service-account.ts";
import { Edge } from "./edge.ts";

/** As in production in their order; short enough for several leaders in one round, long enough for a busy machine. */
export const LEASE_TIMES = { leaseDurationMs: 10_000, renewDeadlineMs: 7_000, retryPeriodMs: 500 };

/** A watch that is silent, or that left something out, is found out within the round. */
const TIMES: OperatorTimes = {
  leaseTimes: LEASE_TIMES,
  reflectorTimes: { backoffBaseMs: 100, backoffMaxMs: 2_000, silenceMs: 15_000, compareMs: 15_000 },
};

/** Everything, in its namespace: which rights it needs is the chart's test. */
const RULES = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];

/** One of the operators: its process, which is started again when it ends, and what stands before the API server. */
export class Replica {
  readonly name: string;
  /** Who it is to the API server. */
  readonly username: string;
  readonly edge: Edge;
  readonly #start: () => OperatorProcess;
  #process: OperatorProcess | undefined;
  #closing = false;
  #loop: Promise<void> | undefined;
  /** How long it takes until it is started again, milliseconds; asked each time. */
  readonly #restartMs: () => number;

  constructor(options: {
    readonly name: string;
    readonly username: string;
    readonly edge: Edge;
    readonly start: () => OperatorProcess;
    readonly restartMs: () => number;
  }) {
    this.name = options.name;
    this.username = options.username;
    this.edge = options.edge;
    this.#start = options.start;
    this.#restartMs = options.restartMs;
  }

  /** Runs it until `close`. */
  run(): void {
    this.#loop ??= (async () => {
      while (!this.#closing) {
        this.#process = this.#start();
        await this.#process.exited;
        this.#process = undefined;
        if (!this.#closing) await sleep(this.#restartMs());
      }
    })();
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.#closing = true;
    this.signal("SIGKILL");
    await this.#loop;
    await this.edge.close();
  }
}

/** Two operators, of which one leads. */
export class Replicas {
  readonly all: readonly Replica[];
  readonly #cluster: ClusterUnderTest;

  private constructor(cluster: ClusterUnderTest, all: readonly Replica[]) {
    this.#cluster = cluster;
    this.all = all;
  }

  /** Starts them; `restartMs` is how long it takes until one that ended is started again. */
  static async start(cluster: ClusterUnderTest, directory: string, restartMs: () => number): Promise<Replicas> {
    const { namespace } = cluster;
    const all: Replica[] = [];
    for (const name of ["operator-1", "operator-2"]) {
      const account = await createServiceAccount(cluster.kubeconfig, { namespace, name, rules: RULES });
      const edge = await Edge.create(account);
      const kubeconfig = await edge.kubeconfig(join(directory, `${name}.kubeconfig`));
      const onLine = (line: string): void => appendFileSync(join(directory, `${name}.log`), `${line}\n`);
      const start = (): OperatorProcess => spawnOperator(kubeconfig, namespace, name, { times: TIMES, onLine });
      const username = `system:serviceaccount:${namespace}:${name}`;
      const replica = new Replica({ name, username, edge, start, restartMs });
      replica.run();
      all.push(replica);
    }
    return new Replicas(cluster, all);
  }

  /** Who leads, as the Lease says; `undefined` where nobody does or nobody can say. */
  async leader(): Promise<Replica | undefined> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/${this.#cluster.namespace}/leases/jobqueue-operator`;
    const lease = await this.#cluster.api
      .find<KubeObject & { spec?: { holderIdentity?: string } }>(path)
      .catch(() => undefined);
    return this.all.find(({ name }) => name === lease?.spec?.holderIdentity);
  }

  /** How many writes were sent so far. */
  get writes(): number {
    return this.all.reduce((sum, { edge }) => sum + edge.writes.length, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((replica) => replica.close()));
  }
}

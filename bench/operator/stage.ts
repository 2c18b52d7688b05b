import { join } from "node:path";
import type { Database } from "../../store/src/index.ts";
import type { Setup } from "../bench.ts";
import { Program } from "../program.ts";
import { ScaleCluster } from "./cluster.ts";
import { OperatorProcess } from "./operator-process.ts";
import {
  addForeign,
  addQueues,
  addStores,
  namespacesOf,
  queuesOf,
  type BenchQueue,
  type Population,
} from "./population.ts";
import { Requests } from "./requests.ts";
import { Statuses } from "./statuses.ts";

/** Users of the database, so that what each asks can be told apart. */
export const USERS = { operator: "bench_operator", workers: "bench_workers" } as const;

/** Memory limits of the operator's pod, MiB: the chart's; for more queues the goal of the design. */
const MEMORY = { limitMib: 256, largeLimitMib: 512, largeFrom: 2_000 } as const;

/** Nodes of kwok. */
const NODES = { smoke: 1, usual: 10 } as const;

/** A cluster, stores and everything in them, for operators to be started on. */
export class Stage {
  readonly setup: Setup;
  readonly population: Population;
  readonly queues: readonly BenchQueue[];
  readonly cluster: ScaleCluster;
  readonly statuses: Statuses;
  readonly requests: Requests;
  /** The stores as an administrator sees them, by namespace. */
  readonly stores: ReadonlyMap<string, Database>;
  readonly #beats: Program;
  readonly #operators: OperatorProcess[] = [];

  private constructor(
    parts: Pick<Stage, "setup" | "population" | "queues" | "cluster" | "statuses" | "stores"> & { beats: Program },
  ) {
    this.setup = parts.setup;
    this.population = parts.population;
    this.queues = parts.queues;
    this.cluster = parts.cluster;
    this.statuses = parts.statuses;
    this.stores = parts.stores;
    this.requests = new Requests(parts.cluster.api.auditLog);
    this.#beats = parts.beats;
  }

  /** Does something on a stage, and takes it down. */
  static async with<Result>(
    setup: Setup,
    population: Population,
    work: (stage: Stage) => Promise<Result>,
  ): Promise<Result> {
    const { server, smoke } = setup;
    // The last first.
    const undo: (() => Promise<void>)[] = [];
    try {
      const cluster = await ScaleCluster.start(smoke ? NODES.smoke : NODES.usual);
      undo.push(() => cluster.destroy());
      await addForeign(cluster, population.foreign);
      const databases = new Map<string, { readonly name: string; readonly url: string }>();
      for (const namespace of namespacesOf(population)) databases.set(namespace, await server.createDatabase());
      const stores = new Map([...databases].map(([namespace, { url }]) => [namespace, server.connect(url)]));
      undo.push(async () => {
        for (const store of stores.values()) await store.close();
        for (const { name } of databases.values()) await server.dropDatabase(name);
      });
      const urlsOf = (user: string) =>
        new Map([...databases].map(([namespace, { url }]) => [namespace, asUser(user, url)]));
      await addStores(cluster, urlsOf(USERS.operator));
      const queues = queuesOf(population);
      await addQueues(cluster, queues);
      const statuses = await Statuses.watch(cluster.edge);
      undo.push(() => statuses.stop());
      const beats = new Program({
        command: process.execPath,
        args: [join(import.meta.dirname, "worker-beats.ts")],
        env: {
          KUBECONFIG: cluster.api.kubeconfig,
          STORES: JSON.stringify(Object.fromEntries(urlsOf(USERS.workers))),
        },
      });
      undo.push(() => beats.end());
      const stage = new Stage({ setup, population, queues, cluster, statuses, stores, beats });
      undo.push(() => stage.#endOperators());
      stage.say(`the cluster runs, with ${queues.length} JobQueues and ${population.foreign} foreign pods and Secrets`);
      return await work(stage);
    } finally {
      for (const step of undo.toReversed()) await step();
    }
  }

  /** Tells how far the bench is. */
  say(line: string): void {
    this.setup.report(`B10 ${this.population.queues} queues: ${line}`);
  }

  /** Starts an operator, which is ended with the stage if not before. */
  async startOperator(): Promise<OperatorProcess> {
    const operator = await OperatorProcess.start({
      kubeconfig: this.cluster.operatorKubeconfig,
      memoryLimitMib: this.population.queues < MEMORY.largeFrom ? MEMORY.limitMib : MEMORY.largeLimitMib,
      profiles: this.setup.scale.profiles,
    });
    this.#operators.push(operator);
    return operator;
  }

  /** What the stand-in for the workers has done so far. */
  async beats(): Promise<{ readonly registered: number }> {
    return this.#beats.ask("counts");
  }

  async #endOperators(): Promise<void> {
    for (const operator of this.#operators) await operator.end();
  }
}

function asUser(user: string, url: string): string {
  const other = new URL(url);
  other.username = user;
  return other.href;
}

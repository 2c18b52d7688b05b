/**
 * One small world for one run of a scenario: a namespace of the API server, a database, and an operator that reaches both
 * only through proxies. Whatever it writes passes them, so they know every write and can end the operator at any of
 * them.
 *
 * `kill` is what SIGKILL is to the world: from that instant nothing that the operator says arrives anywhere, its
 * connections are reset, and nothing it knew is left. Where the operator is a process it is SIGKILL.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import type { Database } from "@jobqueue/store";
import { createTestDatabase, type TestDatabase } from "../../../../test/support/postgres/database.ts";
import { PostgresProxy, type ProxiedConnection, type SentFate } from "../../../../test/support/postgres/proxy.ts";
import type { OperatorFacts } from "../../../../test/support/history/history.ts";
import { keepLedger } from "../../../../test/support/history/ledger.ts";
import { loadAccess } from "../../kube/index.ts";
import { FaultProxy, type SeenRequest } from "../../kube/testing/fault-proxy.ts";
import { isCarriedOut } from "../carried-out.ts";
import { ClusterUnderTest, openStore } from "../cluster-under-test.ts";
import { spawnOperator, type OperatorProcess } from "../spawn-operator.ts";
import { LONG_LEASE_TIMES } from "../times.ts";
import { endState } from "./end-state.ts";
import { isObserved, isReady, summariesOf, type WithStatus } from "./told.ts";
import { requestWritten, TransactionSeen } from "./written.ts";

/** Where in a write the operator dies. `replyLost`: it lives on with the error, and dies at what it would write next. */
export type Phase = "before" | "after" | "replyLost";

/** A write of a scenario: its name, and which one of that name. */
export interface CrashPoint {
  readonly write: string;
  readonly nth: number;
  readonly phase: Phase;
}

/** The identity of all operators of a world, unless said otherwise: one pod, whose container is started again and again. */
const IDENTITY = "operator";

/** See the head of this file. */
export class World {
  readonly cluster: ClusterUnderTest;
  readonly store: Database;
  /** Names of writes, in order. */
  readonly writes: string[] = [];
  readonly #database: TestDatabase;
  readonly #api: FaultProxy;
  readonly #postgres: PostgresProxy;
  /** Files of this world. */
  readonly directory: string;
  readonly #counted = new Map<string, number>();
  #crash: { readonly point: CrashPoint; readonly died: () => void; replyLost: boolean } | undefined;
  #dead = false;
  #process: OperatorProcess | undefined;

  private constructor(
    cluster: ClusterUnderTest,
    database: TestDatabase,
    proxies: { readonly api: FaultProxy; readonly postgres: PostgresProxy },
    directory: string,
  ) {
    this.cluster = cluster;
    this.#database = database;
    this.store = openStore(database.url);
    this.#api = proxies.api;
    this.#postgres = proxies.postgres;
    this.directory = directory;
    const transactions = new WeakMap<ProxiedConnection, TransactionSeen>();
    this.#postgres.onSent = (sent, connection) => {
      let seen = transactions.get(connection);
      if (!seen) transactions.set(connection, (seen = new TransactionSeen()));
      const write = seen.sent(sent);
      return write === undefined ? "pass" : this.#onTransaction(write, connection);
    };
    const verdicts = new WeakMap<object, Verdict>();
    const judge = (request: SeenRequest): Verdict => {
      const known = verdicts.get(request);
      if (known) return known;
      const write = requestWritten(request);
      const verdict = this.#dead ? "refuse" : write === undefined ? "pass" : this.#judge(write);
      verdicts.set(request, verdict);
      return verdict;
    };
    this.#api.add({ when: (request) => judge(request) === "refuse", fault: { kind: "reset" } });
    const { executed } = this.#api.add({
      when: (request) => judge(request) === "lose reply",
      fault: { kind: "lost answer" },
      times: 1,
    });
    void (async () => {
      await executed;
      this.#executed();
    })();
  }

  /** Makes a world, with the Secret `default` that leads to its database. */
  static async create(adminUrl: string): Promise<World> {
    const [cluster, database] = await Promise.all([ClusterUnderTest.create("crash"), createTestDatabase(adminUrl)]);
    const access = await loadAccess({ kubeconfig: cluster.kubeconfig });
    const [api, postgres] = await Promise.all([FaultProxy.start(access), PostgresProxy.create(database.url)]);
    const world = new World(cluster, database, { api, postgres }, await mkdtemp(join(tmpdir(), "jobqueue-crash-")));
    await keepLedger(world.store);
    await cluster.secret("default", postgres.url);
    return world;
  }

  /** Starts an operator, in this process or as one of its own. Another `identity` waits until the Lease of the one before is over. */
  async operate(as: "here" | "process" = "here", identity: string = IDENTITY): Promise<void> {
    const kubeconfig = await this.#api.kubeconfig(join(this.directory, "kubeconfig"));
    if (as === "process") this.#process = spawnOperator(kubeconfig, this.cluster.namespace, identity);
    else await this.cluster.operator({ identity, kubeconfig, leaseTimes: LONG_LEASE_TIMES });
  }

  /** Counts writes from now on, and ends the operator at this one; resolves then. It is still to be buried: `kill`. */
  async crashAt(point: CrashPoint): Promise<void> {
    this.#counted.clear();
    return new Promise((died) => (this.#crash = { point, died, replyLost: false }));
  }

  /** Begins to record writes anew. */
  record(): void {
    this.writes.length = 0;
  }

  /** Ends the operator, if it has not died yet, and what is left of it; the next one may come. */
  async kill(): Promise<void> {
    this.#die();
    await Promise.all([this.cluster.stop(), this.#process?.end()]);
    this.#process = undefined;
    this.#api.resetConnections();
    this.#postgres.cut(false);
    this.#dead = false;
  }

  /** Whether all has been done and told that is to be: by the cluster's controllers, and by the operator. Stores must be ready. */
  async isSettled(): Promise<boolean> {
    const { api, namespace } = this.cluster;
    const { jobStores, jobQueues } = await this.#statuses();
    if (![...jobStores, ...jobQueues].every(isObserved) || !jobStores.every(isReady)) return false;
    const isTold = (await this.summaries()).every(({ shown, truth }) => shown === truth);
    return isTold && isCarriedOut(api, namespace);
  }

  /** The counts that the statuses show, and what is true. */
  async summaries(): Promise<OperatorFacts["summaries"]> {
    const { jobStores, jobQueues } = await this.#statuses();
    return summariesOf(this.store, jobStores, jobQueues);
  }

  async #statuses(): Promise<{
    readonly jobStores: readonly WithStatus<JobStoreStatus>[];
    readonly jobQueues: readonly WithStatus<JobQueueStatus>[];
  }> {
    const list = async <T>(kind: string): Promise<readonly T[]> =>
      (await this.cluster.api.get<{ items: T[] }>(this.cluster.path(kind))).items;
    return { jobStores: await list("jobstores"), jobQueues: await list("jobqueues") };
  }

  /** What the world has come to. */
  async endState(): Promise<string> {
    const { api, namespace } = this.cluster;
    const databaseName = new URL(this.#database.url).pathname.slice(1);
    const { port } = new URL(this.#postgres.url);
    const own = { [namespace]: "NAMESPACE", [databaseName]: "DATABASE", [`:${port}`]: ":PORT" };
    return endState({ api, namespace, store: this.store, own });
  }

  async destroy(): Promise<void> {
    await this.kill();
    await this.#api.stop();
    await this.#postgres.close();
    await this.store.close();
    await this.#database.drop();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #onTransaction(write: string, connection: ProxiedConnection): Promise<SentFate> {
    const verdict = this.#judge(write);
    if (verdict === "refuse") return "keep";
    if (verdict === "pass") return "pass";
    void this.#loseReply(connection);
    return "lose reply";
  }

  async #loseReply(connection: ProxiedConnection): Promise<void> {
    await connection.served();
    connection.reset();
    this.#executed();
  }

  /** What becomes of a write. */
  #judge(write: string): Verdict {
    if (this.#dead) return "refuse";
    const nth = (this.#counted.get(write) ?? 0) + 1;
    this.#counted.set(write, nth);
    this.writes.push(write);
    const crash = this.#crash;
    if (!crash) return "pass";
    const { point } = crash;
    if (crash.replyLost || (point.phase === "before" && point.write === write && point.nth === nth)) {
      this.#die();
      return "refuse";
    }
    return point.write === write && point.nth === nth ? "lose reply" : "pass";
  }

  /** The write at which the operator is to die was carried out, and nobody told it so. */
  #executed(): void {
    if (!this.#crash) return;
    if (this.#crash.point.phase === "replyLost") this.#crash.replyLost = true;
    else this.#die();
  }

  #die(): void {
    this.#dead = true;
    this.#process?.kill("SIGKILL");
    this.#api.resetConnections();
    this.#postgres.cut(true);
    this.#crash?.died();
    this.#crash = undefined;
  }
}

type Verdict = "pass" | "refuse" | "lose reply";

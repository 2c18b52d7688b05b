/** A namespace of a real API server, a real database, and operators between them: what the `*.api.test.ts` files act on. */
import { Database, parseStoreUrl } from "@jobqueue/store";
import type { Condition, JobQueueStatus, JobStoreStatus } from "@jobqueue/crds";
import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { pino } from "pino";
import { waitFor } from "../../../test/cluster/wait-for.ts";
import { ApiClient, ApiError, type KubeObject } from "../../../test/support/api-server/api-client.ts";
import { createNamespace } from "../../../test/support/api-server/namespace.ts";
import type { Config } from "../config.ts";
import type { RequestObservation } from "../kube/index.ts";
import { Operator, type OperatorOptions } from "../main.ts";
import { LEASE_TIMES, MONITOR_TIMES } from "./times.ts";

/** Shows the operators' log when TEST_LOG names a level. */
const log = pino({ level: process.env["TEST_LOG"] ?? "silent" });

/** What a test says about an operator. */
type OperatorUnderTest = Partial<OperatorOptions> &
  Partial<Pick<Config, "identity" | "kubeconfig" | "leaderElection" | "watchNamespaces">>;

type Status<S> = KubeObject & { readonly status?: S };

/** See the head of this file. */
export class ClusterUnderTest {
  readonly namespace: string;
  readonly api: ApiClient;
  readonly kubeconfig: string;
  readonly #running = new Map<string, Operator>();

  private constructor(kubeconfig: string, namespace: string, keepAlive: boolean) {
    this.kubeconfig = kubeconfig;
    this.namespace = namespace;
    this.api = new ApiClient(kubeconfig, { keepAlive });
  }

  /** A namespace of the run's API server, which nobody stops, or of another one. */
  static async create(prefix: string, kubeconfig?: string): Promise<ClusterUnderTest> {
    const path = kubeconfig ?? inject("kubeconfig");
    return new ClusterUnderTest(path, await createNamespace(path, prefix), kubeconfig === undefined);
  }

  /**
   * An operator that works in this namespace only (or in others: `watchNamespaces`), under a Lease in it. `kubeconfig` is how
   * it gets there, if not like this class. It is stopped with the others, and not started yet.
   */
  prepare(options: OperatorUnderTest = {}): Operator {
    const {
      identity = `operator-${randomUUID().slice(0, 8)}`,
      kubeconfig = this.kubeconfig,
      leaderElection = true,
      watchNamespaces = [this.namespace],
      ...rest
    } = options;
    const operator = new Operator({
      config: {
        namespace: this.namespace,
        watchNamespaces,
        leaderElection,
        httpPort: 0,
        logLevel: "silent",
        identity,
        kubeconfig,
      },
      log,
      monitorTimes: MONITOR_TIMES,
      leaseTimes: LEASE_TIMES,
      ...rest,
    });
    this.#running.set(identity, operator);
    return operator;
  }

  /** Starts one. */
  async operator(options: OperatorUnderTest = {}): Promise<Operator> {
    const operator = this.prepare(options);
    await operator.start();
    return operator;
  }

  /** Stops all operators that were started here. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map((operator) => operator.stop()));
  }

  /** Stops one operator by its identity. */
  async stopOne(identity: string): Promise<void> {
    await this.#running.get(identity)?.stop();
    this.#running.delete(identity);
  }

  /** Path of an object of this namespace, such as `jobqueues/mailers`. */
  path(what: string): string {
    const [plural = ""] = what.split("/");
    const root = plural.startsWith("job")
      ? "/apis/jobqueue.dev/v1alpha1"
      : plural === "deployments" || plural === "replicasets"
        ? "/apis/apps/v1"
        : plural === "events"
          ? "/apis/events.k8s.io/v1"
          : "/api/v1";
    return `${root}/namespaces/${this.namespace}/${what}`;
  }

  async secret(name: string, uri: string): Promise<void> {
    await this.secretOf(name, { uri });
  }

  async secretOf(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
    await this.api.apply(this.path(`secrets/${name}`), {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name },
      stringData,
    });
  }

  /** A JobStore; unless `spec` says otherwise its URL stands in the Secret of its name. */
  async jobStore(name: string, spec: object = {}): Promise<void> {
    await this.api.apply(this.path(`jobstores/${name}`), {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobStore",
      metadata: { name },
      spec: { connection: { uriSecretRef: { name, key: "uri" }, tls: { mode: "Disabled" } }, ...spec },
    });
  }

  /** A JobQueue; `spec` is what a user writes. */
  async jobQueue(name: string, spec: object): Promise<KubeObject> {
    return this.api.apply(this.path(`jobqueues/${name}`), {
      apiVersion: "jobqueue.dev/v1alpha1",
      kind: "JobQueue",
      metadata: { name },
      spec,
    });
  }

  /** Waits until a condition has a status and, if given, a reason; returns it. */
  async condition(what: string, type: string, status: Condition["status"], reason?: string): Promise<Condition> {
    let seen: Status<JobQueueStatus | JobStoreStatus> | undefined;
    return waitFor(
      `${what} to have ${type}=${status}${reason === undefined ? "" : ` (${reason})`}`,
      async () => {
        seen = await this.api.find(this.path(what));
        return seen?.status?.conditions?.find(
          (one) => one.type === type && one.status === status && (reason === undefined || one.reason === reason),
        );
      },
      { timeoutMs: 60_000, explain: () => JSON.stringify(seen?.status, undefined, 2) },
    );
  }

  /** The status of a JobQueue. */
  async status(name: string): Promise<JobQueueStatus> {
    const { status } = await this.api.get<Status<JobQueueStatus>>(this.path(`jobqueues/${name}`));
    return status ?? {};
  }

  /** What `kubectl get -o wide` prints about an object: the columns of the CRD, by name. */
  async columns(what: string): Promise<Readonly<Record<string, unknown>>> {
    const as = "application/json;as=Table;g=meta.k8s.io;v=v1";
    const table = await this.api.send<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(
      "GET",
      this.path(what),
      undefined,
      undefined,
      as,
    );
    const cells = table.rows[0]?.cells ?? [];
    return Object.fromEntries(table.columnDefinitions.map(({ name }, at) => [name.toUpperCase(), cells[at]]));
  }

  /** Waits for an object to be there, or to look in a certain way. */
  async object(what: string, looks: (object: KubeObject) => boolean = () => true): Promise<KubeObject> {
    let seen: KubeObject | undefined;
    return waitFor(
      `${what} as wanted`,
      async () => {
        seen = await this.api.find(this.path(what));
        return seen && looks(seen) ? seen : undefined;
      },
      { timeoutMs: 60_000, explain: () => JSON.stringify(seen, undefined, 2) },
    );
  }

  /** The pods of a pool, oldest first. */
  async pods(pool: string): Promise<readonly KubeObject[]> {
    const selector = encodeURIComponent(`jobqueue.dev/pool=${pool}`);
    const { items } = await this.api.get<{ items: KubeObject[] }>(`${this.path("pods")}?labelSelector=${selector}`);
    return items.filter(({ metadata }) => metadata["deletionTimestamp"] === undefined);
  }

  /** Stands in for the kubelets: waits until a pool has so many pods and says that all are ready. */
  async becomeReady(pool: string, count: number): Promise<readonly KubeObject[]> {
    const pods = await waitFor(
      `${count} pods of ${pool}`,
      async () => {
        const there = await this.pods(pool);
        return there.length === count ? there : undefined;
      },
      { timeoutMs: 60_000 },
    );
    for (const { metadata } of pods) await this.ready(metadata.name);
    return pods;
  }

  /** Stands in for a kubelet: says that a pod runs and is ready. One that is gone meanwhile is let go. */
  async ready(pod: string): Promise<void> {
    const lastTransitionTime = new Date().toISOString();
    const conditions = ["Initialized", "PodScheduled", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime,
    }));
    try {
      await this.api.patch(`${this.path(`pods/${pod}`)}/status`, { status: { phase: "Running", conditions } });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** Removes a pod as a kubelet that has ended it does: at once. */
  async removePod(name: string): Promise<void> {
    await this.api.send("DELETE", this.path(`pods/${name}`), { gracePeriodSeconds: 0 });
  }
}

/** What an operator answers on a path of its HTTP server. */
export async function ask(operator: Operator, path: "/livez" | "/readyz" | "/metrics"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${operator.httpPort}${path}`)).text();
}

/** Opens a store as an administrator would. The caller closes it. */
export function openStore(url: string): Database {
  return new Database({ connection: parseStoreUrl(url), applicationName: "test" });
}

/** Counts the writes among observed requests: everything but reads, dry runs and the Lease. */
export function writesOf(requests: readonly RequestObservation[]): readonly RequestObservation[] {
  return requests.filter(({ method, path }) => method !== "GET" && !path.includes("/leases"));
}

/** A pool of one container, as small as the CRD allows. */
export function workersSpec(more: object = {}): object {
  return { template: { spec: { containers: [{ name: "worker", image: "registry.example/worker:1" }] } }, ...more };
}

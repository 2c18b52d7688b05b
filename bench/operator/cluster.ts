import { connect, type Edge } from "../../operator/src/kube/testing/edge.ts";
import { defineResource, type KubeObject, type Resource, type Stored } from "../../operator/src/kube/index.ts";
import { buildProgram } from "../../test/cluster/binaries/go.ts";
import { waitFor } from "../../test/cluster/wait-for.ts";
import { ApiServer } from "../../test/support/api-server/api-server.ts";
import { readKubeconfig, writeKubeconfig } from "../../test/support/api-server/kubeconfig.ts";
import { ServerProcess } from "../../test/support/api-server/server-process.ts";
import { createServiceAccount } from "../../test/support/api-server/service-account.ts";
import { eventually } from "../../test/support/eventually.ts";
import { NAMESPACES } from "../../operator/src/controllers/kinds.ts";
import { join } from "node:path";
import { Relay } from "./relay.ts";

/** Namespace and name of the operator's service account. */
export const OPERATOR = { namespace: "jobqueue-system", name: "operator" } as const;

/** The user that the API server knows it as. */
const OPERATOR_USER = `system:serviceaccount:${OPERATOR.namespace}:${OPERATOR.name}`;

interface Node extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const NODES = defineResource<Node>({ group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false });

/**
 * What the scheduler and each controller of a large cluster may ask a second. Their defaults, 50 and 20, would be what is
 * measured: 5,000 pods take 100 s by the one and four minutes by the other.
 */
const REQUESTS_PER_SECOND = 1_000;

/** Writes of the bench at once. */
const AT_ONCE = 16;

/**
 * A cluster for measuring at scale: etcd, kube-apiserver, kube-controller-manager and kube-scheduler as they are, on this
 * machine, and nodes of kwok, whose pods are Running and Ready as soon as they are scheduled and do nothing.
 */
export class ScaleCluster {
  readonly api: ApiServer;
  /** The bench's own access, as an administrator. */
  readonly edge: Edge;
  /** What the operator's requests go through. */
  readonly relay: Relay;
  /** Kubeconfig of the operator: its service account, through the relay. */
  readonly operatorKubeconfig: string;
  readonly #processes: readonly ServerProcess[];

  private constructor(
    api: ApiServer,
    edge: Edge,
    relay: Relay,
    operatorKubeconfig: string,
    processes: readonly ServerProcess[],
  ) {
    this.api = api;
    this.edge = edge;
    this.relay = relay;
    this.operatorKubeconfig = operatorKubeconfig;
    this.#processes = processes;
  }

  /** Starts it, with so many nodes, which are Ready when this resolves. */
  static async start(nodes: number): Promise<ScaleCluster> {
    const [kube, kwok] = [await buildProgram("kube"), await buildProgram("kwok")];
    const api = await ApiServer.create({
      audit: "Metadata",
      auditOf: [OPERATOR_USER],
      controllerRequestsPerSecond: REQUESTS_PER_SECOND,
    });
    const scheduler = new ServerProcess(
      api.directory,
      "kube-scheduler",
      kube,
      [
        "kube-scheduler",
        `--kubeconfig=${api.kubeconfig}`,
        "--leader-elect=false",
        "--secure-port=0",
        `--kube-api-qps=${REQUESTS_PER_SECOND}`,
        `--kube-api-burst=${REQUESTS_PER_SECOND}`,
      ],
      async () => true, // nothing waits for it: who needs pods waits for them
    );
    const kubelets = new ServerProcess(
      api.directory,
      "kwok",
      kwok,
      [
        `--kubeconfig=${api.kubeconfig}`,
        `--config=${join(import.meta.dirname, "kwok-stages.yaml")}`,
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40", // as kubelets do: without a lease the nodes would soon count as lost
      ],
      async () => true, // its nodes are waited for
    );
    const edge = await connect(api.kubeconfig, {
      writes: { perSecond: 100_000, burst: 100_000 }, // the bench holds itself back by what it does at once
      onRequest: () => {},
    });
    const relay = await Relay.to(Number(new URL(api.url).port));
    const operatorKubeconfig = join(api.directory, "through-relay.kubeconfig");
    const cluster = new ScaleCluster(api, edge, relay, operatorKubeconfig, [scheduler, kubelets]);
    try {
      await scheduler.start();
      await kubelets.start();
      await cluster.#admitOperator();
      await cluster.#addNodes(nodes, () => kubelets.tail());
      return cluster;
    } catch (error) {
      await cluster.destroy();
      throw error;
    }
  }

  /** Creates many objects, a few at a time. Those of namespaced kinds name their namespace. */
  async create(
    resource: Resource,
    objects: Iterable<KubeObject & { readonly metadata: { name: string } }>,
  ): Promise<void> {
    const left = objects[Symbol.iterator]();
    const creator = async (): Promise<void> => {
      for (let next = left.next(); !next.done; next = left.next()) await this.edge.client.create(resource, next.value);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, creator));
  }

  /** Creates namespaces and waits until pods may be created in them. */
  async addNamespaces(names: readonly string[]): Promise<void> {
    await this.create(
      NAMESPACES,
      names.map((name) => ({ metadata: { name } })),
    );
    for (const namespace of names) {
      await eventually(`the service account of ${namespace}`, () =>
        this.edge.client.find(SERVICE_ACCOUNTS, { namespace, name: "default" }),
      );
    }
  }

  /** Ends everything and removes what it made. */
  async destroy(): Promise<void> {
    await this.edge.close();
    await this.relay.close();
    await Promise.all(this.#processes.map((one) => one.stop("SIGKILL")));
    await this.api.destroy();
  }

  async #admitOperator(): Promise<void> {
    await this.addNamespaces([OPERATOR.namespace]);
    // What it may do costs the API server the same whether the list is long or short; whose requests it may hold back is
    // decided by who asks, and a service account is no administrator.
    const rules = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
    const direct = await createServiceAccount(this.api.kubeconfig, { ...OPERATOR, rules, clusterWide: true });
    const { ca, token = "" } = readKubeconfig(direct);
    const server = `https://127.0.0.1:${this.relay.port}`;
    writeKubeconfig(this.operatorKubeconfig, { server, ca, token, namespace: OPERATOR.namespace });
  }

  async #addNodes(count: number, explain: () => string): Promise<void> {
    const names = Array.from({ length: count }, (_, index) => `node-${index + 1}`);
    await this.create(
      NODES,
      names.map((name) => ({
        metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
      })),
    );
    await waitFor(
      "the nodes to be Ready",
      async () => (await this.edge.client.list(NODES)).items.filter(isReady).length === count,
      { timeoutMs: 120_000, explain },
    );
  }
}

const SERVICE_ACCOUNTS = defineResource({
  group: "",
  version: "v1",
  plural: "serviceaccounts",
  kind: "ServiceAccount",
});

const isReady = ({ status }: Stored<Node>): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;

/** What lives in the cluster of B10: stores with their queues and pools, and everything that is none of the operator's business. */
import { randomBytes } from "node:crypto";
import { enqueueMany, migrate, type Database } from "../../store/src/index.ts";
import { JOB_QUEUES, JOB_STORES, PODS, SECRETS } from "../../operator/src/controllers/kinds.ts";
import type { KubeObject } from "../../operator/src/kube/index.ts";
import type { ScaleCluster } from "./cluster.ts";

/** How much of it. */
export interface Population {
  readonly queues: number;
  readonly stores: number;
  /** Pods of workers, spread evenly over the pools. */
  readonly pods: number;
  /** Pods that are not ours, and as many Secrets. */
  readonly foreign: number;
}

/** One queue and its pool. */
export interface BenchQueue {
  readonly namespace: string;
  readonly name: string;
  readonly replicas: number;
}

/** Jobs in each queue, due tomorrow: the store has something to count, and nothing to do. */
const JOBS_PER_QUEUE = 10;

/** Namespace of the pods and Secrets of others. */
const ELSEWHERE = "elsewhere";

/** A JobStore each, called `default`. */
export function namespacesOf({ stores }: Population): readonly string[] {
  return Array.from({ length: stores }, (_, index) => `team-${String(index + 1).padStart(2, "0")}`);
}

/** The queues, each with its share of the pods. */
export function queuesOf(population: Population): readonly BenchQueue[] {
  const { queues, pods } = population;
  const namespaces = namespacesOf(population);
  const upTo = (count: number): number => Math.floor((count * pods) / queues);
  return Array.from({ length: queues }, (_, index) => ({
    namespace: namespaces[index % namespaces.length] ?? "",
    name: `queue-${String(index + 1).padStart(5, "0")}`,
    replicas: upTo(index + 1) - upTo(index),
  }));
}

type Made = KubeObject & {
  readonly metadata: { name: string; namespace?: string; labels?: Readonly<Record<string, string>> };
};

/** Pods of another scheduler, which stay as they are, and Secrets of the size that certificates have. */
export async function addForeign(cluster: ScaleCluster, count: number): Promise<void> {
  await cluster.addNamespaces([ELSEWHERE]);
  await cluster.create(PODS, numbered(count, foreignPod));
  await cluster.create(SECRETS, numbered(count, foreignSecret));
}

/** JobStores and the Secrets that say where their databases are. */
export async function addStores(cluster: ScaleCluster, urls: ReadonlyMap<string, string>): Promise<void> {
  await cluster.addNamespaces([...urls.keys()]);
  await cluster.create(
    SECRETS,
    [...urls].map(([namespace, uri]) => ({ metadata: { namespace, name: "default" }, stringData: { uri } })),
  );
  const spec = { connection: { uriSecretRef: { name: "default", key: "uri" }, tls: { mode: "Disabled" } } };
  await cluster.create(
    JOB_STORES,
    [...urls.keys()].map((namespace) => ({ metadata: { namespace, name: "default" }, spec })),
  );
}

/** The JobQueues: what a user writes who wants a few workers and has an opinion on retries. */
export async function addQueues(cluster: ScaleCluster, queues: readonly BenchQueue[]): Promise<void> {
  await cluster.create(
    JOB_QUEUES,
    queues.map(({ namespace, name, replicas }) => ({
      metadata: { namespace, name },
      spec: { replicas, timeoutSeconds: 300, workers: { template: { spec: { containers: [CONTAINER] } } } },
    })),
  );
}

/** Jobs of the queues of one store, which has been migrated by now. */
export async function addJobs(store: Database, queues: readonly BenchQueue[]): Promise<void> {
  await migrate(store);
  const runAt = new Date(Date.now() + 86_400_000);
  for (const { name } of queues) {
    const jobs = Array.from({ length: JOBS_PER_QUEUE }, () => ({ queue: name, kind: "none", payload: {}, runAt }));
    await enqueueMany(store, jobs);
  }
}

const CONTAINER = {
  name: "worker",
  image: "example.com/team/worker:1.0.0",
  env: [{ name: "LOG_LEVEL", value: "info" }],
  resources: { requests: { cpu: "10m", memory: "64Mi" }, limits: { memory: "256Mi" } },
};

function* numbered(count: number, make: (name: string) => Made): Generator<Made> {
  for (let number = 1; number <= count; number++) yield make(`foreign-${String(number).padStart(6, "0")}`);
}

const foreignPod = (name: string): Made & { readonly spec: object } => ({
  metadata: {
    namespace: ELSEWHERE,
    name,
    labels: { app: "something-else", "app.kubernetes.io/instance": name },
  },
  spec: {
    schedulerName: "another-scheduler", // nobody's: it stays Pending and costs nothing but its place
    containers: [{ ...CONTAINER, name: "main" }],
  },
});

/** Bytes of a certificate with its key. */
const SECRET_BYTES = 3_000;

const foreignSecret = (name: string): Made & { readonly data: object } => ({
  metadata: { namespace: ELSEWHERE, name },
  data: { "tls.key": randomBytes(SECRET_BYTES).toString("base64") },
});

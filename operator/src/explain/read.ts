/**
 * Reads what the operator knows from its caches, once, with the rights of whoever asks. What may not be read is named, with
 * the right that is missing; what follows from it is unknown, never absent.
 */
import { LABEL_POOL, type JobQueue } from "@jobqueue/crds";
import { poolOf, storeKeyOf, workersName } from "../controllers/job-queue/desired/names.ts";
import { BY_POOL, createObserve, type Sources } from "../controllers/job-queue/observe.ts";
import type { Observed } from "../controllers/job-queue/observed.ts";
import { ScaleMemory } from "../controllers/job-queue/scale/scale.ts";
import { Storms } from "../controllers/job-queue/health/storms.ts";
import { SeenPods } from "../controllers/job-queue/seen-pods.ts";
import { JOB_QUEUE_INDEXES, wokenByPod } from "../controllers/job-queue/wake.ts";
import type { StoreView } from "../controllers/job-store/store-view.ts";
import { DEPLOYMENTS, DISRUPTION_BUDGETS, JOB_QUEUES, JOB_STORES, NAMESPACES, PODS } from "../controllers/kinds.ts";
import type {
  Deployment,
  DisruptionBudget,
  Pod,
  StoredJobQueue,
  StoredJobStore,
} from "../controllers/kubernetes-objects.ts";
import { Cache, KubeError, keyOf, splitKey, type KubeClient } from "../kube/index.ts";
import { WrittenObjects } from "../plan/written-objects.ts";
import type { Clock } from "../runtime/index.ts";
import { ExplainProblem, missingRight, saidByServer } from "./problem.ts";

/** Something that could not be read, and why. */
export interface Unread {
  readonly what: "JobQueues" | "namespaces" | "Deployment" | "PodDisruptionBudget" | "dry run" | "pods";
  readonly why: string;
}

/** What there is to be known about a JobQueue from the cluster. */
export interface Read {
  readonly jobStore: StoredJobStore | undefined;
  readonly unread: readonly Unread[];
  /** What the operator would observe if it knew this of the store. */
  readonly observe: (view: StoreView) => Promise<Observed>;
}

/** @throws ExplainProblem `cluster` when the JobStore cannot be read: nothing could be said then */
export async function readCluster(
  queue: StoredJobQueue,
  { client, clock, signal }: { readonly client: KubeClient; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Read> {
  const { namespace } = queue.metadata;
  const unread: Unread[] = [];
  const orUnread = async <T>(what: Unread["what"], read: () => Promise<T>): Promise<T | "unknown"> => {
    try {
      return await read();
    } catch (error) {
      unread.push({ what, why: because(error) });
      return "unknown";
    }
  };

  const store = splitKey(storeKeyOf(queue));
  const jobStore = await mustRead(`JobStore ${storeKeyOf(queue)}`, () => client.find(JOB_STORES, store, { signal }));
  const { from = "Same" } = jobStore?.spec.allowedNamespaces ?? {};
  const labels = from === "Selector" ? await orUnread("namespaces", () => labelsOfAll(client, signal)) : "unknown";
  const jobQueues = new Cache<JobQueue>({ indexes: JOB_QUEUE_INDEXES });
  const selection = from === "Same" ? { namespace } : {};
  const others = await orUnread("JobQueues", () => client.list(JOB_QUEUES, selection, { signal }));
  if (others !== "unknown") for (const one of others.items) jobQueues.set(keyOf(one.metadata), one);
  jobQueues.set(keyOf(queue.metadata), queue);

  const deployments = new Cache<Deployment>();
  const ref = { namespace, name: workersName(queue.metadata.name) };
  const deployment = await orUnread("Deployment", () => client.find(DEPLOYMENTS, ref, { signal }));
  if (deployment !== "unknown" && deployment) deployments.set(keyOf(ref), deployment);

  const disruptionBudgets = new Cache<DisruptionBudget>();
  const budget = await orUnread("PodDisruptionBudget", () => client.find(DISRUPTION_BUDGETS, ref, { signal }));
  if (budget !== "unknown" && budget) disruptionBudgets.set(keyOf(ref), budget);

  const pods = new Cache<Pod>({ indexes: { [BY_POOL]: (pod) => [...wokenByPod(pod)] } });
  const labelSelector = `${LABEL_POOL}=${queue.metadata.name}`;
  const there = await orUnread("pods", () => client.list(PODS, { namespace, labelSelector }, { signal }));
  const seenPods = new SeenPods();
  if (there !== "unknown") {
    for (const pod of there.items) {
      pods.set(keyOf(pod.metadata), pod);
      seenPods.add(poolOf(queue), pod.metadata.uid);
    }
  }

  const sources: Omit<Sources, "monitors"> = {
    client: {
      find: (...args) => client.find(...args),
      apply: async (...args) => {
        try {
          return await client.apply(...args);
        } catch (error) {
          // A right that the operator has and this account lacks says nothing about the Deployment.
          const right = missingRight(error);
          if (right === undefined) throw error;
          unread.push({ what: "dry run", why: because(error) });
          throw new Error(right, { cause: error });
        }
      },
    },
    jobQueues,
    jobStores: { get: () => jobStore },
    labelsOfNamespace: (name) => (labels === "unknown" ? "unknown" : labels.get(name)),
    deployments,
    disruptionBudgets,
    pods,
    podsListed: () => there !== "unknown",
    written: {
      jobQueues: new WrittenObjects(clock),
      deployments: new WrittenObjects(clock),
      disruptionBudgets: new WrittenObjects(clock),
    },
    seenPods,
    storms: new Storms(),
    watchesCurrent: () => true, // everything was read just now
    scaleMemory: new ScaleMemory(),
    countsWrittenAt: () => undefined,
    clock,
  };
  const observe = async (view: StoreView): Promise<Observed> => {
    const { uid = "", generation = 0 } = jobStore?.metadata ?? {};
    const monitors: Sources["monitors"] = { find: () => ({ view, watched: { uid, generation } }) };
    const observed = await createObserve({ ...sources, monitors })(keyOf(queue.metadata), signal);
    if (deployment !== "unknown") return observed;
    return {
      ...observed,
      deployment: { is: "unknown", sentence: `Whether there is a Deployment ${ref.name} could not be read.` },
    };
  };
  return { jobStore, unread, observe };
}

async function labelsOfAll(
  client: KubeClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const { items } = await client.list(NAMESPACES, {}, { signal });
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
}

/** Reads what nothing can be said without. @throws ExplainProblem `cluster` */
export async function mustRead<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ExplainProblem) throw error;
    throw new ExplainProblem("cluster", `${what} cannot be read: ${because(error)}`, { cause: error });
  }
}

function because(error: unknown): string {
  const right = missingRight(error);
  if (right !== undefined) return `your account may not ${right}`;
  return error instanceof KubeError ? saidByServer(error) : String(error);
}

/**
 * Reads everything a decision about one JobQueue needs, from caches and the store's last snapshot wherever possible. Two
 * things are asked of the API server, and only when they matter: whether a Deployment that the cache does not show is
 * really absent (the cache holds only objects with our labels), and what it says to one that would be applied.
 */
import type { JobQueue } from "@jobqueue/crds";
import { keyOf, type Cache, type KubeClient } from "../../kube/index.ts";
import type { Clock } from "../../runtime/index.ts";
import { wantedReplicas } from "./desired/replicas.ts";
import { isRefusal, refusal } from "../../plan/refusal.ts";
import type { WrittenObjects } from "../../plan/written-objects.ts";
import { DEPLOYMENTS } from "../kinds.ts";
import type { Deployment, Pod, StoredDeployment, StoredJobQueue, StoredJobStore } from "../kubernetes-objects.ts";
import type { Monitors } from "../job-store/monitors.ts";
import type { StoreUp } from "../job-store/store-view.ts";
import { workersByPool } from "../job-store/workers-by-pool.ts";
import { invalidSchedule } from "./invalid-schedule.ts";
import { desiredDeployment, type DesiredDeployment } from "./desired/deployment.ts";
import { APPLIED_HASH, FIELD_MANAGER, poolOf, queueNameOf, storeKeyOf, workersName } from "./desired/names.ts";
import type { DeploymentObserved, Observed, PodObserved, StoreObserved, TemplateVerdict } from "./observed.ts";
import type { SeenPods } from "./seen-pods.ts";
import { whatIsInvalid } from "./rules/validity.ts";
import { BY_SERVED, BY_SLOT, slotOf } from "./wake.ts";

/** Name of the index of pods by the key of their pool. */
export const BY_POOL = "pool";

/** A refusal is asked about again after this time: quotas, policies and rights change without a word. */
const VERDICT_MS = 60_000;

/** Where observations come from. */
export interface Sources {
  readonly client: KubeClient;
  readonly jobQueues: Cache<JobQueue>;
  readonly jobStores: { get(key: string): StoredJobStore | undefined };
  readonly deployments: Cache<Deployment>;
  readonly pods: Cache<Pod>;
  readonly podsListed: () => boolean;
  readonly monitors: Monitors;
  readonly written: { readonly jobQueues: WrittenObjects<JobQueue>; readonly deployments: WrittenObjects<Deployment> };
  readonly seenPods: SeenPods;
  /** When this process last wrote counts of a JobQueue, milliseconds of the wall clock. */
  readonly countsWrittenAt: (key: string) => number | undefined;
  readonly clock: Clock;
}

/** Observes a JobQueue. */
export type Observe = (key: string, signal: AbortSignal) => Promise<Observed>;

/** Makes the function that observes. */
export function createObserve(sources: Sources): Observe {
  const verdicts: Verdicts = new Map();

  return async (key, signal) => {
    const cached = sources.jobQueues.get(key);
    const queue = cached && sources.written.jobQueues.newest(key, cached);
    if (!queue) {
      verdicts.delete(key);
      return { ...NOTHING, queue: undefined };
    }
    const store = observeStore(queue, sources);
    const deployment = await observeDeployment(queue, sources, signal);
    const desired = desiredOf(queue, store, deployment, sources.clock.wall());
    return {
      queue,
      rivals: others(queue, sources).map(({ metadata }) => metadata),
      servedBy: sources.jobQueues
        .byIndex(BY_SERVED, slotOf(storeKeyOf(queue), queueNameOf(queue)))
        .filter(({ metadata }) => metadata.uid !== queue.metadata.uid)
        .map(({ metadata, status }) => ({ name: metadata.name, ready: status?.workers?.ready ?? 0 })),
      store,
      deployment,
      desired,
      template: await verdictOn(desired, deployment, key, verdicts, sources, signal),
      ...observePods(key, store, sources),
      invalidSchedule: invalidSchedule(queue.spec.schedules),
      countsWrittenAt: sources.countsWrittenAt(key),
    };
  };
}

const NOTHING: Omit<Observed, "queue"> = {
  rivals: [],
  servedBy: [],
  store: { is: "absent" },
  deployment: { is: "absent" },
  desired: undefined,
  template: { is: "accepted" },
  pods: "unknown",
  podsSeenBefore: new Set(),
  invalidSchedule: undefined,
  countsWrittenAt: undefined,
};

const others = (queue: StoredJobQueue, { jobQueues }: Sources): readonly StoredJobQueue[] =>
  jobQueues
    .byIndex(BY_SLOT, slotOf(storeKeyOf(queue), queueNameOf(queue)))
    .filter(({ metadata }) => metadata.uid !== queue.metadata.uid);

function observeStore(queue: StoredJobQueue, { jobStores, monitors }: Sources): StoreObserved {
  const key = storeKeyOf(queue);
  const jobStore = jobStores.get(key);
  if (!jobStore) return { is: "absent" };
  const monitor = monitors.find(key);
  const view = monitor?.watched.uid === jobStore.metadata.uid ? monitor.view : { is: "starting" as const };
  if (view.is !== "up") return { is: "unusable", jobStore, view };
  if (!view.snapshot) return { is: "incompatible", jobStore, ...schemaProblem(view, jobStore) };
  const name = queueNameOf(queue);
  return {
    is: "ready",
    jobStore,
    at: view.snapshot.at,
    clockAheadMs: view.snapshot.clockAheadMs,
    counts: view.snapshot.queues.get(name),
    holds: view.snapshot.holds.filter((hold) => hold.queue === name || hold.queue === "*"),
    workers: workersByPool(view.snapshot).get(poolOf(queue)) ?? [],
    policy: view.snapshot.policies.get(name),
    schedules: view.snapshot.schedules.filter((schedule) => schedule.queue === name),
  };
}

function schemaProblem(
  { schema, migrationFailed }: StoreUp,
  { spec }: StoredJobStore,
): {
  readonly settling: boolean;
  readonly sentence: string;
} {
  if (schema.is !== "newer" && spec.migrations === "Manual") {
    return { settling: false, sentence: 'spec.migrations is Manual and nobody has run "jobqueue migrate" yet.' };
  }
  if (migrationFailed !== undefined) return { settling: false, sentence: migrationFailed };
  if (schema.is === "newer") return { settling: false, sentence: "it was made by a newer operator; upgrade this one." };
  return { settling: true, sentence: "its schema is being installed or brought up to date." };
}

function desiredOf(
  queue: StoredJobQueue,
  store: StoreObserved,
  deployment: DeploymentObserved,
  now: number,
): DesiredDeployment | undefined {
  if (!queue.spec.workers || store.is === "absent" || whatIsInvalid(queue) !== undefined) return undefined;
  return desiredDeployment(queue, store.jobStore, wantedReplicas(queue, { store, deployment }, now).replicas);
}

async function observeDeployment(
  queue: StoredJobQueue,
  sources: Sources,
  signal: AbortSignal,
): Promise<DeploymentObserved> {
  const ref = { namespace: queue.metadata.namespace, name: workersName(queue.metadata.name) };
  const key = keyOf(ref);
  const known = sources.written.deployments.newest(key, sources.deployments.get(key));
  if (known) return ownership(known, queue, sources);
  if (!queue.spec.workers) return { is: "absent" };
  try {
    const live = await sources.client.find(DEPLOYMENTS, ref, { signal });
    return live ? ownership(live, queue, sources) : { is: "absent" };
  } catch {
    return { is: "unknown", sentence: `Whether there is a Deployment ${ref.name} could not be read.` };
  }
}

function ownership(object: StoredDeployment, queue: StoredJobQueue, { written }: Sources): DeploymentObserved {
  const { metadata } = object;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner?.uid === queue.metadata.uid) {
    return { is: "ours", object, appliedGeneration: written.deployments.generationOf(keyOf(metadata), metadata.uid) };
  }
  const collecting = owner?.kind === "JobQueue" && owner.name === queue.metadata.name;
  return { is: "foreign", owner: owner ? `${owner.kind} ${owner.name}` : "nobody this operator knows", collecting };
}

/** What the API server said last, by the key of the JobQueue. */
type Verdicts = Map<string, { readonly hash: string; readonly verdict: TemplateVerdict; readonly at: number }>;

/** Asks only about what would change something, and about the same thing only once in a while. */
async function verdictOn(
  desired: DesiredDeployment | undefined,
  deployment: DeploymentObserved,
  key: string,
  verdicts: Verdicts,
  { client, clock }: Sources,
  signal: AbortSignal,
): Promise<TemplateVerdict> {
  const hash = desired?.metadata.annotations[APPLIED_HASH];
  if (!desired || hash === undefined || deployment.is === "foreign" || deployment.is === "unknown")
    return { is: "accepted" };
  if (deployment.is === "ours" && deployment.object.metadata.annotations?.[APPLIED_HASH] === hash)
    return { is: "accepted" };
  const known = verdicts.get(key);
  if (known?.hash === hash && clock.now() - known.at < VERDICT_MS) return known.verdict;
  const verdict = await dryRun(desired, client, signal);
  if (verdict.is === "unknown") verdicts.delete(key);
  else verdicts.set(key, { hash, verdict, at: clock.now() });
  return verdict;
}

async function dryRun(desired: DesiredDeployment, client: KubeClient, signal: AbortSignal): Promise<TemplateVerdict> {
  try {
    await client.apply(DEPLOYMENTS, desired, { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal });
    return { is: "accepted" };
  } catch (error) {
    if (isRefusal(error)) return { is: "refused", sentence: refusal(error) };
    return { is: "unknown", sentence: "The API server could not be asked about the Deployment of the workers." };
  }
}

function observePods(
  key: string,
  store: StoreObserved,
  { pods, podsListed, seenPods }: Sources,
): Pick<Observed, "pods" | "podsSeenBefore"> {
  if (!podsListed()) return { pods: "unknown", podsSeenBefore: new Set() };
  const there = pods.byIndex(BY_POOL, key).map(({ metadata, status }): PodObserved => ({
    uid: metadata.uid,
    over: status?.phase === "Succeeded" || status?.phase === "Failed",
  }));
  if (store.is !== "ready") return { pods: there, podsSeenBefore: new Set() };
  const named = new Set(store.workers.flatMap(({ podUid }) => (podUid === undefined ? [] : [podUid])));
  seenPods.keepOnly(key, (uid) => named.has(uid) || there.some((pod) => pod.uid === uid));
  return { pods: there, podsSeenBefore: seenPods.of(key, named) };
}

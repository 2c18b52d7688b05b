/**
 * Reads everything a decision about one JobQueue needs, from caches and the store's last snapshot wherever possible. Two
 * things are asked of the API server, and only when they matter: whether a Deployment that the cache does not show is
 * really absent (the cache holds only objects with our labels), and what it says to one that would be applied.
 */
import type { JobQueue } from "@jobqueue/crds";
import { isInvalid, keyOf, type Cache, type KubeClient, type KubeObject, type Resource } from "../../kube/index.ts";
import type { Clock } from "../../runtime/index.ts";
import { isRefusal, refusal } from "../../plan/refusal.ts";
import type { WrittenObjects } from "../../plan/written-objects.ts";
import { allowanceOf, type NamespaceLabels } from "../allowed-namespaces.ts";
import { DEPLOYMENTS, DISRUPTION_BUDGETS } from "../kinds.ts";
import type { Deployment, DisruptionBudget, Pod, StoredJobQueue, StoredJobStore } from "../kubernetes-objects.ts";
import type { StoreMonitor } from "../job-store/monitor.ts";
import type { StoreUp } from "../job-store/store-view.ts";
import { fleetOf, holdsOn, restartsByPool, schedulesByQueue, workersByPool } from "../job-store/snapshot-groups.ts";
import { lacksCredentials } from "./desired/environment.ts";
import { invalidSchedule } from "./invalid-schedule.ts";
import { desiredDeployment, type DesiredDeployment } from "./desired/deployment.ts";
import { APPLIED_HASH, FIELD_MANAGER, poolOf, queueNameOf, storeKeyOf, workersName } from "./desired/names.ts";
import type {
  DeploymentObserved,
  DisruptionBudgetObserved,
  Observed,
  OwnedObserved,
  StoreObserved,
  TemplateVerdict,
} from "./observed.ts";
import { podObserved } from "./pods.ts";
import { isStormy } from "./health/judge.ts";
import type { Storms } from "./health/storms.ts";
import { scaleOf, type ScaleDecision, type ScaleMemory } from "./scale/scale.ts";
import type { SeenPods } from "./seen-pods.ts";
import { whatIsInvalid } from "./rules/validity.ts";
import { BY_SERVED, BY_SLOT, slotOf } from "./wake.ts";

/** Name of the index of pods by the key of their pool. */
export const BY_POOL = "pool";

/** A refusal is asked about again after this time: quotas, policies and rights change without a word. */
const VERDICT_MS = 60_000;

/** What is known of the stores that are watched. */
interface Watching {
  find(key: string): Pick<StoreMonitor, "watched" | "view"> | undefined;
}

/** Where observations come from. */
export interface Sources {
  readonly client: Pick<KubeClient, "find" | "apply">;
  readonly jobQueues: Cache<JobQueue>;
  readonly labelsOfNamespace: (namespace: string) => NamespaceLabels;
  readonly jobStores: { get(key: string): StoredJobStore | undefined };
  readonly deployments: Cache<Deployment>;
  readonly disruptionBudgets: Cache<DisruptionBudget>;
  readonly pods: Cache<Pod>;
  readonly podsListed: () => boolean;
  readonly monitors: Watching;
  readonly written: {
    readonly jobQueues: WrittenObjects<JobQueue>;
    readonly deployments: WrittenObjects<Deployment>;
    readonly disruptionBudgets: WrittenObjects<DisruptionBudget>;
  };
  readonly seenPods: SeenPods;
  readonly storms: Storms;
  /** Whether every watch stands and brings news. */
  readonly watchesCurrent: () => boolean;
  readonly scaleMemory: ScaleMemory;
  /** When this process last wrote counts of a JobQueue, milliseconds of the wall clock. */
  readonly countsWrittenAt: (key: string) => number | undefined;
  readonly clock: Clock;
}

/** Observes a JobQueue. */
export type Observe = (key: string, signal: AbortSignal) => Promise<Observed>;

/** Makes the function that observes. */
export function createObserve(sources: Sources): Observe {
  const verdicts: Verdicts = new Map();
  const missedSince = new Map<string, number>();

  return async (key, signal) => {
    const cached = sources.jobQueues.get(key);
    const queue = cached && sources.written.jobQueues.newest(key, cached);
    if (!queue) {
      verdicts.delete(key);
      missedSince.delete(key);
      sources.scaleMemory.forget(key);
      return { ...NOTHING, queue: undefined };
    }
    const store = observeStore(queue, sources);
    const deployment = await observeDeployment(key, queue, missedSince, sources, signal);
    const there = observePods(key, store, sources);
    const scale = scaleFor(queue, { store, deployment, pods: there.pods }, sources);
    const desired = desiredOf(queue, store, scale);
    return {
      queue,
      rivals: others(queue, BY_SLOT, sources).map((other) => ({ ...other.metadata, name: nameSeenFrom(queue, other) })),
      servedBy: others(queue, BY_SERVED, sources).map((other) => ({
        name: nameSeenFrom(queue, other),
        ready: other.status?.workers?.ready ?? 0,
      })),
      store,
      deployment,
      disruptionBudget: await observeDisruptionBudget(queue, sources, signal),
      scale,
      desired,
      template: await verdictOn(desired, deployment, key, verdicts, sources, signal),
      ...there,
      watchesCurrent: sources.watchesCurrent(),
      stormAt: observeStorm(queue, store, there.pods, sources),
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
  disruptionBudget: { is: "absent" },
  scale: undefined,
  desired: undefined,
  template: { is: "accepted" },
  pods: "unknown",
  watchesCurrent: false,
  stormAt: undefined,
  podsSeenBefore: new Set(),
  invalidSchedule: undefined,
  countsWrittenAt: undefined,
};

/** Other JobQueues for the same queue of the same store, or whose workers serve it: those that may use the store. */
function others(queue: StoredJobQueue, index: string, sources: Sources): readonly StoredJobQueue[] {
  const { jobQueues, jobStores, labelsOfNamespace } = sources;
  const jobStore = jobStores.get(storeKeyOf(queue));
  return jobQueues
    .byIndex(index, slotOf(storeKeyOf(queue), queueNameOf(queue)))
    .filter((other) => other.metadata.uid !== queue.metadata.uid)
    .filter((other) => !jobStore || allowanceOf(other, jobStore, labelsOfNamespace).is === "allowed");
}

const nameSeenFrom = ({ metadata: { namespace } }: StoredJobQueue, other: StoredJobQueue): string =>
  other.metadata.namespace === namespace ? other.metadata.name : poolOf(other);

function observeStore(queue: StoredJobQueue, { jobStores, labelsOfNamespace, monitors }: Sources): StoreObserved {
  const key = storeKeyOf(queue);
  const jobStore = jobStores.get(key);
  if (!jobStore) return { is: "absent" };
  const allowance = allowanceOf(queue, jobStore, labelsOfNamespace);
  if (allowance.is !== "allowed") {
    return { is: "notAllowed", known: allowance.is === "refused", sentence: allowance.sentence };
  }
  const monitor = monitors.find(key);
  const view = monitor?.watched.uid === jobStore.metadata.uid ? monitor.view : { is: "starting" as const };
  if (view.is !== "up") return { is: "unusable", jobStore, view };
  if (!view.snapshot) return { is: "incompatible", jobStore, ...schemaProblem(view, jobStore) };
  const name = queueNameOf(queue);
  const { snapshot } = view;
  return {
    is: "ready",
    jobStore,
    at: snapshot.at,
    clockAheadMs: snapshot.clockAheadMs,
    counts: snapshot.queues.get(name),
    holds: holdsOn(snapshot, name),
    served: [name, ...(queue.spec.workers?.alsoServes ?? [])].map((one) => ({
      held: holdsOn(snapshot, one).length > 0,
      counts: snapshot.queues.get(one),
    })),
    workers: workersByPool(snapshot).get(poolOf(queue)) ?? [],
    policy: snapshot.policies.get(name),
    canary: snapshot.canary,
    fleet: fleetOf(snapshot),
    restarts: restartsByPool(snapshot).get(poolOf(queue)) ?? [],
    toldLoopStallMs: snapshot.pools.get(poolOf(queue)),
    schedules: schedulesByQueue(snapshot).get(name) ?? [],
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

/** The size of the pool, where there is to be one. */
function scaleFor(
  queue: StoredJobQueue,
  seen: Pick<Observed, "store" | "deployment" | "pods">,
  { scaleMemory, clock }: Sources,
): ScaleDecision | undefined {
  const { store } = seen;
  if (!queue.spec.workers || store.is === "absent" || store.is === "notAllowed") return undefined;
  if (whatIsInvalid(queue) !== undefined || lacksCredentials(queue, store.jobStore) !== undefined) return undefined;
  return scaleOf(queue, seen, scaleMemory, clock.wall());
}

function desiredOf(
  queue: StoredJobQueue,
  store: StoreObserved,
  scale: ScaleDecision | undefined,
): DesiredDeployment | undefined {
  if (!scale || store.is === "absent" || store.is === "notAllowed") return undefined;
  return desiredDeployment(queue, store.jobStore, scale.step.replicas);
}

async function observeDeployment(
  key: string,
  queue: StoredJobQueue,
  missedSince: Map<string, number>,
  { client, written: { deployments: written }, deployments, clock }: Sources,
  signal: AbortSignal,
): Promise<DeploymentObserved> {
  const kind = { resource: DEPLOYMENTS, written, cache: deployments };
  const wanted = queue.spec.workers !== undefined;
  const found = await observeOwned(kind, queue, wanted, client, signal);
  if (found.is === "absent" && wanted) {
    const since = missedSince.get(key) ?? clock.wall();
    missedSince.set(key, since);
    return { is: "absent", since };
  }
  if (found.is !== "unknown") missedSince.delete(key);
  if (found.is !== "ours") return found;
  const { metadata } = found.object;
  return { ...found, appliedGeneration: written.generationOf(keyOf(metadata), metadata.uid) };
}

async function observeDisruptionBudget(
  queue: StoredJobQueue,
  { client, written: { disruptionBudgets: written }, disruptionBudgets }: Sources,
  signal: AbortSignal,
): Promise<DisruptionBudgetObserved> {
  const kind = { resource: DISRUPTION_BUDGETS, written, cache: disruptionBudgets };
  return observeOwned(kind, queue, queue.spec.workers?.disruptionBudget !== undefined, client, signal);
}

/** The object of the name of the pool's, and whose it is. One that the cache does not show is asked for where it is wanted. */
async function observeOwned<T extends KubeObject>(
  {
    resource,
    written,
    cache,
  }: { readonly resource: Resource<T>; readonly written: WrittenObjects<T>; readonly cache: Cache<T> },
  queue: StoredJobQueue,
  wanted: boolean,
  client: Sources["client"],
  signal: AbortSignal,
): Promise<OwnedObserved<T>> {
  const ref = { namespace: queue.metadata.namespace, name: workersName(queue.metadata.name) };
  const key = keyOf(ref);
  let found = written.newest(key, cache.get(key));
  if (!found && wanted) {
    try {
      found = await client.find(resource, ref, { signal });
    } catch {
      return { is: "unknown", sentence: `Whether there is a ${resource.kind} ${ref.name} could not be read.` };
    }
  }
  if (!found) return { is: "absent" };
  const owner = found.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (owner?.uid === queue.metadata.uid) return { is: "ours", object: found };
  if (owner?.kind === "JobQueue" && owner.name === queue.metadata.name) return { is: "leftover", object: found };
  return { is: "foreign", owner: owner ? `${owner.kind} ${owner.name}` : "nobody this operator knows" };
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
  const isTheirs = deployment.is === "foreign" || deployment.is === "leftover";
  if (!desired || hash === undefined || isTheirs || deployment.is === "unknown") return { is: "accepted" };
  if (deployment.is === "ours" && deployment.object.metadata.annotations?.[APPLIED_HASH] === hash)
    return { is: "accepted" };
  const known = verdicts.get(key);
  if (known?.hash === hash && clock.now() - known.at < VERDICT_MS) return known.verdict;
  const verdict = await dryRun(desired, client, signal);
  if (verdict.is === "unknown") verdicts.delete(key);
  else verdicts.set(key, { hash, verdict, at: clock.now() });
  return verdict;
}

async function dryRun(
  desired: DesiredDeployment,
  client: Sources["client"],
  signal: AbortSignal,
): Promise<TemplateVerdict> {
  try {
    await client.apply(DEPLOYMENTS, desired, { fieldManager: FIELD_MANAGER, force: true, dryRun: true, signal });
    return { is: "accepted" };
  } catch (error) {
    if (isRefusal(error)) return { is: "refused", judged: isInvalid(error), sentence: refusal(error) };
    return { is: "unknown", sentence: "The API server could not be asked about the Deployment of the workers." };
  }
}

function observeStorm(
  queue: StoredJobQueue,
  store: StoreObserved,
  pods: Observed["pods"],
  { clock, storms }: Sources,
): number | undefined {
  if (store.is !== "ready") return undefined;
  const { at, since } = store.canary;
  const stormy = isStormy({ queue, store, pods }, clock.wall());
  return storms.latest(poolOf(queue), { at, since, stormy }, queue.status);
}

function observePods(
  key: string,
  store: StoreObserved,
  { pods, podsListed, seenPods, clock }: Sources,
): Pick<Observed, "pods" | "podsSeenBefore"> {
  if (!podsListed()) return { pods: "unknown", podsSeenBefore: new Set() };
  const there = pods.byIndex(BY_POOL, key).map(podObserved);
  if (store.is !== "ready") return { pods: there, podsSeenBefore: new Set() };
  const named = new Set(store.workers.flatMap(({ podUid }) => (podUid === undefined ? [] : [podUid])));
  seenPods.keepOnly(key, (uid) => named.has(uid) || there.some((pod) => pod.uid === uid), clock.now());
  return { pods: there, podsSeenBefore: seenPods.of(key, named) };
}

/**
 * The only place that acts. Carries out actions in order and stops at the first that fails; every action is idempotent, so
 * the next pass may begin again from the start. Before each one it asks whether this process still leads: a leader that
 * was suspended and woke up must not act on what it decided before.
 */
import {
  configureQueue,
  configureStore,
  deleteQueue,
  deleteSchedule,
  ensureQueue,
  hold,
  maintain,
  pauseSchedule,
  putSchedule,
  recoverStale,
  release,
  workersGone,
  type Act,
  type Database,
} from "@jobqueue/store";
import { DEPLOYMENTS, JOB_QUEUES, JOB_STORES, PODS } from "../controllers/kinds.ts";
import type { Deployment } from "../controllers/kubernetes-objects.ts";
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Monitors } from "../controllers/job-store/monitors.ts";
import { FIELD_MANAGER } from "../controllers/job-queue/desired/names.ts";
import { API_VERSION } from "@jobqueue/crds";
import { type EventRecorder, isNotFound, type KubeClient, keyOf } from "../kube/index.ts";
import type { TokenBucket } from "../runtime/index.ts";
import type {
  Action,
  ApplyDeployment,
  DeleteDeployment,
  DeleteQueue,
  EmitEvent,
  PatchStatus,
  PodIdentity,
  RecoverPods,
  ReleaseHold,
  StoreKey,
} from "./action.ts";
import { failureOf } from "./failure.ts";
import type { Outcome } from "./outcome.ts";
import type { WrittenObjects } from "./written-objects.ts";

/** What acting needs. */
export interface Hands {
  readonly client: KubeClient;
  readonly monitors: Monitors;
  readonly events: Pick<EventRecorder, "record">;
  readonly written: {
    readonly deployments: WrittenObjects<Deployment>;
    readonly jobQueues: WrittenObjects<JobQueue>;
    readonly jobStores: WrittenObjects<JobStore>;
  };
  /** Writes of nothing but counts, of all objects together. */
  readonly countWrites: TokenBucket;
  /** Whether this process may act at this moment. */
  readonly mayAct: () => boolean;
  /** Told of every write of a status. */
  readonly onStatusWrite?: (kind: PatchStatus["kind"], result: "written" | "late" | "failed") => void;
  /** Told of jobs that were handed on. */
  readonly onRecovered?: (jobs: number, reason: string) => void;
}

/** Carries out actions. Never throws: what went wrong is in the outcome. */
export type Apply = (actions: readonly Action[], signal: AbortSignal) => Promise<Outcome>;

/** Pages of a recovery; what is left after that comes with the next look. */
const RECOVERY_PAGE = 1_000;
const RECOVERY_PAGES = 50;
/** How long counts that found no token wait. */
const LATE_COUNTS_MS = 2_000;

interface Progress {
  changed: boolean;
  recovered: Outcome["recovered"];
  waitMs: number | undefined;
  readonly storesWritten: Set<StoreKey>;
}

/** Makes the function that acts. */
export function createApply(hands: Hands): Apply {
  return async (actions, signal) => {
    const progress: Progress = { changed: false, recovered: undefined, waitMs: undefined, storesWritten: new Set() };
    let failure: Outcome["failure"];
    for (const action of actions) {
      try {
        signal.throwIfAborted();
        if (!hands.mayAct()) throw new Error("this process does not lead any more");
        await act(action, hands, progress, signal);
      } catch (error) {
        failure = failureOf(action, error);
        break;
      }
    }
    // Whoever looks next sees what was written. Not waited for in vain: a store that fails has been looked at by then.
    for (const key of progress.storesWritten) await hands.monitors.find(key)?.refresh();
    const { changed, recovered, waitMs } = progress;
    return { changed: changed || failure !== undefined, failure, recovered, waitMs };
  };
}

async function act(action: Action, hands: Hands, progress: Progress, signal: AbortSignal): Promise<void> {
  const store = async <Result>(key: StoreKey, call: (database: Database) => Promise<Result>): Promise<Result> => {
    progress.storesWritten.add(key);
    progress.changed = true;
    return hands.monitors.get(key).use(call);
  };
  switch (action.do) {
    case "wait":
      progress.waitMs = Math.min(progress.waitMs ?? action.ms, action.ms);
      return;
    case "applyDeployment":
      progress.changed = true;
      return applyDeployment(action, hands, signal);
    case "deleteDeployment":
      progress.changed = true;
      return deleteDeployment(action, hands, signal);
    case "ensureQueue":
      await store(action.store, (database) => ensureQueue(database, action.queue));
      return;
    case "deleteQueue":
      return removeQueue(action, store);
    case "setFinalizers": {
      progress.changed = true;
      const { namespace, name, uid } = action.object;
      const { finalizers, resourceVersion } = action;
      try {
        const patch = { metadata: { uid, resourceVersion, finalizers } };
        const written = await hands.client.mergePatch(JOB_QUEUES, { namespace, name }, patch, { signal });
        hands.written.jobQueues.note(written);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return;
    }
    case "configureQueue":
      await store(action.store, (database) => configureQueue(database, action.queue, action.policy, actOf(action)));
      return;
    case "configureStore":
      await store(action.store, (database) => configureStore(database, action.settings, actOf(action)));
      return;
    case "putSchedule":
      await store(action.store, (database) => putSchedule(database, action.schedule, actOf(action)));
      return;
    case "pauseSchedule":
      await store(action.store, (database) => pauseSchedule(database, action.name, action.paused, actOf(action)));
      return;
    case "deleteSchedule":
      if (await isUnwanted(action, hands, signal)) return;
      await store(action.store, (database) => deleteSchedule(database, action.name, actOf(action)));
      return;
    case "setHold":
      await store(action.store, (database) =>
        hold(database, {
          queue: action.queue,
          name: action.hold,
          reason: action.because,
          actor: action.actor,
          source: action.source,
          until: action.until,
        }),
      );
      return;
    case "releaseHold":
      if (await isUnwanted(action, hands, signal)) return;
      await store(action.store, (database) =>
        release(database, { queue: action.queue, name: action.hold, actor: action.actor, reason: action.sentence }),
      );
      return;
    case "recoverPods":
      return recoverPods(action, hands, progress, store, signal);
    case "recoverStale": {
      const { limit: max, graceSeconds, reason } = action;
      hands.monitors.find(action.store)?.swept();
      const recovered = await store(action.store, (database) =>
        recoverStale(database, { actor: FIELD_MANAGER, reason, max, graceSeconds }),
      );
      hands.onRecovered?.(recovered.length, reason);
      return;
    }
    case "watchStore":
      progress.changed = true;
      await hands.monitors.watch(keyOf(action.jobStore.metadata), action.jobStore);
      return;
    case "forgetStore":
      await hands.monitors.forget(action.store);
      return;
    case "migrateStore":
      progress.changed = true;
      progress.storesWritten.add(action.store);
      await hands.monitors.get(action.store).migrate();
      return;
    case "maintainStore":
      await hands.monitors.get(action.store).use((database) => maintain(database));
      hands.monitors.find(action.store)?.maintained();
      return;
    case "patchStatus":
      return patchStatus(action, hands, progress, signal);
    case "emitEvent":
      hands.events.record(eventOf(action));
      return;
  }
}

const actOf = ({ actor, sentence }: { readonly actor: string; readonly sentence: string }): Act => ({
  actor,
  reason: sentence,
});

/** Pages of a deletion; what is left after that comes with the next pass. */
const DELETION_PAGES = 100;

async function removeQueue(
  action: DeleteQueue,
  store: <Result>(key: StoreKey, call: (database: Database) => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const request = { ...actOf(action), onlyIfEmpty: action.onlyIfEmpty };
  for (let page = 0; page < DELETION_PAGES; page += 1) {
    const outcome = await store(action.store, (database) => deleteQueue(database, action.queue, request));
    if (outcome === "running") throw new Error("a job of the queue has begun to run");
    if (outcome !== "more") return;
  }
  throw new Error("the queue has more jobs than one pass deletes");
}

async function applyDeployment({ deployment, uid }: ApplyDeployment, hands: Hands, signal: AbortSignal): Promise<void> {
  const { namespace, name } = deployment.metadata;
  if (uid === undefined) {
    // Apply would take over an object of that name, so there must be none. With a UID the API server checks that itself.
    const existing = await hands.client.find(DEPLOYMENTS, { namespace, name }, { signal });
    if (existing) throw new Error(`the Deployment ${name} is there already`);
  }
  const body = uid === undefined ? deployment : { ...deployment, metadata: { ...deployment.metadata, uid } };
  const written = await hands.client.apply(DEPLOYMENTS, body, { fieldManager: FIELD_MANAGER, force: true, signal });
  hands.written.deployments.note(written);
}

async function deleteDeployment(action: DeleteDeployment, hands: Hands, signal: AbortSignal): Promise<void> {
  const { namespace, name, uid, resourceVersion } = action;
  try {
    await hands.client.delete(
      DEPLOYMENTS,
      { namespace, name },
      { preconditions: { uid, resourceVersion }, propagationPolicy: "Background", signal },
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  hands.written.deployments.forget(keyOf({ namespace, name }));
}

/** Whether the JobQueue whose absence was the reason is there after all. */
async function isUnwanted(
  { unlessExists }: Pick<ReleaseHold, "unlessExists">,
  hands: Hands,
  signal: AbortSignal,
): Promise<boolean> {
  if (unlessExists === undefined) return false;
  return (await hands.client.find(JOB_QUEUES, unlessExists, { signal })) !== undefined;
}

async function recoverPods(
  action: RecoverPods,
  hands: Hands,
  progress: Progress,
  store: <Result>(key: StoreKey, call: (database: Database) => Promise<Result>) => Promise<Result>,
  signal: AbortSignal,
): Promise<void> {
  const gone: PodIdentity[] = [];
  for (const pod of action.pods) if (await isGone(pod, hands, signal)) gone.push(pod);
  if (gone.length === 0) return;
  const jobs = await store(action.store, async (database) => {
    const podUids = gone.map(({ uid }) => uid);
    const workers = await workersGone(database, { podUids, actor: action.actor, reason: action.sentence });
    return workers.length === 0 ? 0 : recoverAll(database, { workers, actor: action.actor, reason: action.reason });
  });
  if (jobs === 0) return;
  const sentence = `${jobs} ${jobs === 1 ? "job was" : "jobs were"} handed on. ${action.sentence}`;
  progress.recovered = { jobs, reason: action.reason, sentence };
  hands.onRecovered?.(jobs, action.reason);
}

/** Asked of the API server itself: no cache, and only this UID. A pod without a name cannot be asked for and stays. */
async function isGone({ namespace, name, uid }: PodIdentity, hands: Hands, signal: AbortSignal): Promise<boolean> {
  if (name === "") return false;
  const pod = await hands.client.find(PODS, { namespace, name }, { signal });
  return pod?.metadata.uid !== uid || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

async function recoverAll(
  database: Database,
  request: { readonly workers?: readonly string[]; readonly actor: string; readonly reason: string },
): Promise<number> {
  let jobs = 0;
  for (let page = 0; page < RECOVERY_PAGES; page += 1) {
    const recovered = await recoverStale(database, { ...request, max: RECOVERY_PAGE });
    jobs += recovered.length;
    if (recovered.length < RECOVERY_PAGE) break;
  }
  return jobs;
}

async function patchStatus(action: PatchStatus, hands: Hands, progress: Progress, signal: AbortSignal): Promise<void> {
  const { kind } = action;
  if (action.countsOnly && !hands.countWrites.tryTake()) {
    progress.waitMs = Math.min(progress.waitMs ?? LATE_COUNTS_MS, LATE_COUNTS_MS);
    hands.onStatusWrite?.(kind, "late");
    return;
  }
  const { namespace, name, uid } = action.object;
  const metadata = { namespace, name, uid }; // another object of the name is not this one: the API server compares UIDs
  const options = { fieldManager: FIELD_MANAGER, force: true, subresource: "status", signal };
  try {
    if (action.kind === "JobQueue") {
      hands.written.jobQueues.note(await hands.client.apply(JOB_QUEUES, { metadata, status: action.status }, options));
    } else {
      hands.written.jobStores.note(await hands.client.apply(JOB_STORES, { metadata, status: action.status }, options));
    }
    hands.onStatusWrite?.(kind, "written");
  } catch (error) {
    if (isNotFound(error)) return; // deleted meanwhile
    hands.onStatusWrite?.(kind, "failed");
    throw error;
  }
}

function eventOf({ object, type, reason, action, sentence }: EmitEvent): Parameters<EventRecorder["record"]>[0] {
  const { kind, namespace, name, uid } = object;
  return {
    regarding: { apiVersion: API_VERSION, kind, metadata: { namespace, name, uid } },
    type,
    reason,
    action,
    note: sentence,
  };
}

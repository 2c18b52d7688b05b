/**
 * The only place that acts. Carries out actions in order and stops at the first that fails; every action is idempotent, so
 * the next pass may begin again from the start. Before each one it asks whether this process still leads: a leader that
 * was suspended and woke up must not act on what it decided before.
 */
import {
  configurePool,
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
  type Session,
} from "@jobqueue/store";
import { DEPLOYMENTS, DISRUPTION_BUDGETS, JOB_QUEUES, JOB_STORES, PODS } from "../controllers/kinds.ts";
import type { Deployment, DisruptionBudget } from "../controllers/kubernetes-objects.ts";
import type { JobQueue, JobStore } from "@jobqueue/crds";
import type { Monitors } from "../controllers/job-store/monitors.ts";
import { FIELD_MANAGER } from "../controllers/job-queue/desired/names.ts";
import { hasEnded } from "../controllers/job-queue/pods.ts";
import { API_VERSION } from "@jobqueue/crds";
import { type EventRecorder, isNotFound, type KubeClient, keyOf } from "../kube/index.ts";
import type { TokenBucket } from "../runtime/index.ts";
import type {
  Action,
  DeleteQueue,
  EmitEvent,
  PatchStatus,
  PodIdentity,
  RecoverPods,
  ReleaseHold,
  StoreKey,
} from "./action.ts";
import { type Basis, confirm, takesAway } from "./basis.ts";
import { failureOf } from "./failure.ts";
import { recoverAll, recoverQueue, together } from "./recover.ts";
import type { Outcome } from "./outcome.ts";
import { applyOwned, deleteOwned } from "./owned-object.ts";
import { restart } from "./restart.ts";
import { drainWorkers, rankPods, releaseWorkers } from "./shrink.ts";
import type { WrittenObjects } from "./written-objects.ts";

/** What acting needs. */
export interface Hands {
  readonly client: KubeClient;
  readonly monitors: Monitors;
  readonly events: Pick<EventRecorder, "record">;
  readonly written: {
    readonly deployments: WrittenObjects<Deployment>;
    readonly disruptionBudgets: WrittenObjects<DisruptionBudget>;
    readonly jobQueues: WrittenObjects<JobQueue>;
    readonly jobStores: WrittenObjects<JobStore>;
  };
  /** Writes of nothing but counts, of all objects together. */
  readonly countWrites: TokenBucket;
  /** Whether this process may act at this moment. */
  readonly mayAct: () => boolean;
  /** Told of every write of a status. */
  readonly onStatusWrite?: (kind: PatchStatus["kind"], result: "written" | "late" | "failed") => void;
  /** Told of workers whose pod was removed, with why. */
  readonly onRestarted?: (reason: string) => void;
  /** Told of jobs that were handed on. */
  readonly onRecovered?: (jobs: number, reason: string) => void;
}

/** Carries out actions, of which those that take something away only if `basis` still holds. Never throws: what went wrong is in the outcome. */
export type Apply = (actions: readonly Action[], signal: AbortSignal, basis?: Basis) => Promise<Outcome>;

/** How long counts that found no token wait. */
const LATE_COUNTS_MS = 2_000;

interface Progress {
  changed: boolean;
  recovered: Outcome["recovered"];
  handled: Outcome["handled"];
  waitMs: number | undefined;
  readonly storesWritten: Set<StoreKey>;
}

/** Makes the function that acts. */
export function createApply(hands: Hands): Apply {
  return async (actions, signal, basis) => {
    const progress: Progress = {
      changed: false,
      recovered: undefined,
      handled: undefined,
      waitMs: undefined,
      storesWritten: new Set(),
    };
    let failure: Outcome["failure"];
    let unconfirmed = basis;
    for (const action of actions) {
      try {
        signal.throwIfAborted();
        if (unconfirmed && takesAway(action)) {
          await confirm(unconfirmed, hands.client, signal);
          unconfirmed = undefined;
        }
        if (!hands.mayAct()) throw new Error("this process does not lead any more");
        await act(action, hands, progress, signal);
      } catch (error) {
        failure = failureOf(action, error);
        break;
      }
    }
    // Whoever looks next sees what was written. Not waited for in vain: a store that fails has been looked at by then.
    for (const key of progress.storesWritten) await hands.monitors.find(key)?.refresh();
    const { changed, recovered, handled, waitMs } = progress;
    return { changed: changed || failure !== undefined, failure, recovered, handled, waitMs };
  };
}

async function act(action: Action, hands: Hands, progress: Progress, signal: AbortSignal): Promise<void> {
  const store = async <Result>(key: StoreKey, call: (session: Session) => Promise<Result>): Promise<Result> => {
    progress.storesWritten.add(key);
    progress.changed = true;
    return hands.monitors.get(key).use(call);
  };
  const { client } = hands;
  const deployments = { client, resource: DEPLOYMENTS, written: hands.written.deployments };
  const disruptionBudgets = { client, resource: DISRUPTION_BUDGETS, written: hands.written.disruptionBudgets };
  switch (action.do) {
    case "wait":
      progress.waitMs = Math.min(progress.waitMs ?? action.ms, action.ms);
      return;
    case "applyDeployment":
      progress.changed = true;
      return applyOwned(deployments, action.deployment, action.uid, signal);
    case "deleteDeployment":
      progress.changed = true;
      return deleteOwned(deployments, action, signal);
    case "applyDisruptionBudget":
      progress.changed = true;
      return applyOwned(disruptionBudgets, action.budget, action.uid, signal);
    case "deleteDisruptionBudget":
      progress.changed = true;
      return deleteOwned(disruptionBudgets, action, signal);
    case "ensureQueue":
      await store(action.store, (session) => ensureQueue(session, action.queue));
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
      await store(action.store, (session) => configureQueue(session, action.queue, action.policy, actOf(action)));
      return;
    case "configureStore":
      await store(action.store, (session) => configureStore(session, action.settings, actOf(action)));
      return;
    case "putSchedule":
      await store(action.store, (session) => putSchedule(session, action.schedule, actOf(action)));
      return;
    case "pauseSchedule":
      await store(action.store, (session) => pauseSchedule(session, action.name, action.paused, actOf(action)));
      return;
    case "deleteSchedule":
      if (await isUnwanted(action, hands, signal)) return;
      await store(action.store, (session) => deleteSchedule(session, action.name, actOf(action)));
      return;
    case "setHold":
      await store(action.store, (session) =>
        hold(session, {
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
      await store(action.store, (session) =>
        release(session, { queue: action.queue, name: action.hold, actor: action.actor, reason: action.sentence }),
      );
      return;
    case "recoverPods":
      return recoverPods(action, hands, progress, store, signal);
    case "configurePool":
      await store(action.store, (session) => configurePool(session, action.pool, action.settings, actOf(action)));
      return;
    case "openRestart":
    case "continueRestart":
      return restart(action, { ...hands, store, signal });
    case "recoverQueue": {
      const recovered = await recoverQueue((call) => store(action.store, call), action);
      progress.handled = { ...progress.handled, recover: action.request };
      progress.recovered = together(progress.recovered, recovered);
      if (recovered.jobs > 0) hands.onRecovered?.(recovered.jobs, action.reason);
      return;
    }
    case "recoverStale": {
      const { limit: max, graceSeconds, reason } = action;
      hands.monitors.find(action.store)?.swept();
      const recovered = await store(action.store, (session) =>
        recoverStale(session, { actor: FIELD_MANAGER, reason, max, graceSeconds }),
      );
      hands.onRecovered?.(recovered.length, reason);
      return;
    }
    case "drainWorkers":
      await store(action.store, (session) => drainWorkers(session, action));
      return;
    case "releaseWorkers":
      await store(action.store, (session) => releaseWorkers(session, action));
      return;
    case "rankPods":
      progress.changed = true;
      return rankPods(hands.client, action, signal);
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
      await hands.monitors.get(action.store).use((session) => maintain(session));
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
  store: <Result>(key: StoreKey, call: (session: Session) => Promise<Result>) => Promise<Result>,
): Promise<void> {
  const request = { ...actOf(action), onlyIfEmpty: action.onlyIfEmpty };
  for (let page = 0; page < DELETION_PAGES; page += 1) {
    const outcome = await store(action.store, (session) => deleteQueue(session, action.queue, request));
    if (outcome === "running") throw new Error("a job of the queue has begun to run");
    if (outcome !== "more") return;
  }
  throw new Error("the queue has more jobs than one pass deletes");
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
  store: <Result>(key: StoreKey, call: (session: Session) => Promise<Result>) => Promise<Result>,
  signal: AbortSignal,
): Promise<void> {
  const gone: PodIdentity[] = [];
  for (const pod of action.pods) if (await isGone(pod, hands, signal)) gone.push(pod);
  if (gone.length === 0) return;
  const { actor, reason, sentence: because } = action;
  const jobs = await recoverAll(
    (call) => store(action.store, call),
    async (session) => {
      const workers = await workersGone(session, { podUids: gone.map(({ uid }) => uid), actor, reason: because });
      return workers.length === 0 ? undefined : { workers, actor, reason };
    },
  );
  if (jobs === 0) return;
  const sentence = `${jobs} ${jobs === 1 ? "job was" : "jobs were"} handed on. ${action.sentence}`;
  progress.recovered = together(progress.recovered, { jobs, reason, sentence });
  hands.onRecovered?.(jobs, action.reason);
}

/** Asked of the API server itself: no cache, and only this UID. A pod without a name cannot be asked for and stays. */
async function isGone({ namespace, name, uid }: PodIdentity, hands: Hands, signal: AbortSignal): Promise<boolean> {
  if (name === "") return false;
  const pod = await hands.client.find(PODS, { namespace, name }, { signal });
  return pod?.metadata.uid !== uid || hasEnded(pod);
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

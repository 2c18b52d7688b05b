/**
 * Replacing a hung worker, step by step, each of which may be repeated after a crash at any point:
 *
 * 1. *Intent.* Written before anything else, from then on counted against the budget. Verdict and budget are looked at once
 *    more by the store in the same transaction; the pod and the JobQueue are read from the API server.
 * 2. *Fence, then recover.* The worker loses its lease for good, then its jobs are handed on. Safety comes from here: whatever
 *    the process still does, it can write nothing.
 * 3. *Evict* this UID with a short grace, never by force: its node must see the process end. Where a disruption budget refuses,
 *    it is asked again, and after evictionTimeoutSeconds the pod is deleted, also with its UID and a grace.
 * 4. *See it go.* The intent is closed when the pod is gone; until then it counts as being replaced.
 *
 * The state `recovered` is noted before the first eviction is sent. So an intent that is found in it may have had its pod
 * evicted without the answer being heard: it is closed, and stays counted, where the pod is gone; one that had not come so far
 * is abandoned. A worker that came back by itself is spared as long as its pod was not evicted.
 */
import { API_VERSION } from "@jobqueue/crds";
import { advanceRestart, openRestart, type RestartStep, type Session } from "@jobqueue/store";
import { restartEvents } from "../controllers/events.ts";
import { restartsAreSuspended } from "../controllers/job-queue/health/request.ts";
import { hasEnded } from "../controllers/job-queue/pods.ts";
import { JOB_QUEUES, PODS } from "../controllers/kinds.ts";
import type { StoredPod } from "../controllers/kubernetes-objects.ts";
import type { Monitors } from "../controllers/job-store/monitors.ts";
import {
  isConflict,
  isDisruptionBudget,
  isNotFound,
  type EventObject,
  type EventRecorder,
  type KubeClient,
} from "../kube/index.ts";
import type { ContinueRestart, OpenRestart, StoreKey } from "./action.ts";
import { recoverAll } from "./recover.ts";

/** What replacing needs. */
export interface RestartHands {
  readonly client: KubeClient;
  readonly monitors: Monitors;
  readonly events: Pick<EventRecorder, "record">;
  /** One transaction in the store, under the term of this leader. */
  readonly store: <Result>(key: StoreKey, call: (session: Session) => Promise<Result>) => Promise<Result>;
  readonly signal: AbortSignal;
  /** Told of every pod that was removed. */
  readonly onRestarted?: (reason: string) => void;
  /** Told of jobs that were handed on. */
  readonly onRecovered?: (jobs: number, reason: string) => void;
}

/** Takes a restart as far as it can go now. @throws KubeError, StoreError, StoreUnavailable */
export async function restart(action: OpenRestart | ContinueRestart, hands: RestartHands): Promise<void> {
  await (action.do === "openRestart" ? open(action, hands) : goOn(action, hands));
}

async function open(action: OpenRestart, { client, monitors, store, signal }: RestartHands): Promise<void> {
  const { namespace, pod: name, podUid } = action.restart;
  const pod = await client.find(PODS, { namespace, name }, { signal });
  if (pod?.metadata.uid !== podUid || pod.metadata.deletionTimestamp !== undefined) return; // another one, or on its way
  const queue = await client.find(JOB_QUEUES, action.queue, { signal });
  if (queue?.metadata.uid !== action.queue.uid || (restartsAreSuspended(queue) && action.restart.hung)) return;
  const term = monitors.get(action.store).term;
  const intent = { ...action.restart, ...(term !== undefined && { term: String(term) }) };
  await store(action.store, (session) =>
    openRestart(session, intent, action.budget, { actor: action.actor, reason: action.sentence }),
  );
}

async function goOn(action: ContinueRestart, hands: RestartHands): Promise<void> {
  const { restart: intent, actor } = action;
  const { client, store, signal } = hands;
  const advance = async (to: RestartStep, detail?: string): Promise<void> => {
    await store(action.store, (session) => advanceRestart(session, { id: intent.id, to, actor, detail }));
  };
  const target = { namespace: action.queue.namespace, name: intent.pod };
  const mayBeEvicted = intent.state === "recovered";
  const gone = async (): Promise<void> => {
    if (intent.state === "evicted" || mayBeEvicted) await advance("closed", "gone");
    else await advance("abandoned", "replaced");
  };
  const pod = await client.find(PODS, target, { signal });
  if (pod?.metadata.uid !== intent.podUid || hasEnded(pod)) return gone();
  const leaving = pod.metadata.deletionTimestamp !== undefined;
  if (intent.state === "evicted" && leaving) return; // its node has not confirmed yet: never by force
  if (!leaving && !intent.asked && intent.workerIsBack && intent.state !== "evicted")
    return advance("abandoned", "recovered");

  if (intent.evidence["hung"] === true && (intent.state === "open" || intent.state === "fenced")) {
    await fenceAndRecover(action, hands);
  }
  if (!mayBeEvicted && intent.state !== "evicted") await advance("recovered");
  if (!leaving) {
    const removal = await remove(action, pod, hands);
    if (removal === "refused") return advance("refused");
    // Sent for the first time just now, and the pod is another one: nothing was done to it.
    if (removal === "gone") return mayBeEvicted ? gone() : advance("abandoned", "replaced");
  }
  const regarding = aboutPod(pod);
  const { queue, sentence, reason } = action;
  for (const facts of restartEvents({ reason, sentence, queue: aboutQueue(queue), pod: regarding }))
    hands.events.record(facts);
  hands.onRestarted?.(reason);
  await advance("evicted");
}

/** Takes the lease for good and hands the jobs on, in one transaction as far as one page goes. */
async function fenceAndRecover(action: ContinueRestart, { store, onRecovered }: RestartHands): Promise<void> {
  const { restart: intent, recover, actor, sentence, reason } = action;
  const { id, workerId } = intent;
  const jobs = await recoverAll(
    (call) => store(action.store, call),
    async (session) => {
      await advanceRestart(session, { id, to: "fenced", actor });
      return recover && workerId !== null ? { workers: [workerId], actor, reason: sentence } : undefined;
    },
  );
  if (jobs > 0) onRecovered?.(jobs, reason);
}

/** Asks for the eviction of exactly this pod; where a budget has refused for too long, deletes it. */
async function remove(
  { restart: intent, graceSeconds, evictionTimeoutMs }: ContinueRestart,
  { metadata }: StoredPod,
  { client, signal }: RestartHands,
): Promise<"accepted" | "refused" | "gone"> {
  const { name, namespace = "", uid } = metadata;
  const preconditions = { uid };
  const grace = graceSeconds === undefined ? {} : { gracePeriodSeconds: Math.max(1, graceSeconds) };
  const timedOut = evictionTimeoutMs > 0 && (intent.refusedMs ?? 0) >= evictionTimeoutMs;
  try {
    if (timedOut) {
      await client.delete(PODS, { namespace, name }, { preconditions, ...grace, signal });
      return "accepted";
    }
    const body = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace },
      deleteOptions: { preconditions, ...grace },
    };
    await client.post(PODS, { namespace, name }, "eviction", body, { signal });
    return "accepted";
  } catch (error) {
    if (isDisruptionBudget(error)) return "refused";
    if (isNotFound(error)) return "gone";
    if (!isConflict(error)) throw error;
    const live = await client.find(PODS, { namespace, name }, { signal });
    if (live?.metadata.uid === uid) throw error;
    return "gone";
  }
}

const aboutPod = ({ metadata: { name, namespace = "", uid } }: StoredPod): EventObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace, uid },
});

const aboutQueue = ({ kind, namespace, name, uid }: ContinueRestart["queue"]): EventObject => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name, namespace, uid },
});

/**
 * Hung workers are replaced, one intent at a time. The judgement is in `../health/`, the steps are in `plan/restart.ts`. A
 * restart that was decided is finished whatever the spec says since: its worker has been fenced.
 */
import type { Action, ContinueRestart, ObjectIdentity, OpenRestart } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import type { RestartSeen } from "../../job-store/store-view.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import { budgetOf } from "../health/governor.ts";
import { healthOf, type Health } from "../health/judge.ts";
import { HUNG_REASONS, isHung, type Judged, wordsOf } from "../health/verdict.ts";
import { isCarriedOut, requestOf } from "../health/request.ts";
import type { Observed, PodObserved, StoreObserved } from "../observed.ts";
import { ANNOTATIONS } from "@jobqueue/crds";

/** How often to look at what will not announce itself: a pod that leaves, a budget that refuses, an age that grows. */
const LOOK_MS = 5_000;
/** What a worker goes by that is told nothing, milliseconds. */
const LOOP_STALL_MS = 30_000;

type Queue = NonNullable<Observed["queue"]>;
type ReadyStore = Extract<StoreObserved, { is: "ready" }>;

/** See the head of this file. */
export function health(observed: Observed, now: number): Finding {
  const { queue, store } = observed;
  if (!queue || store.is !== "ready") return {};
  const found = healthOf(observed, now);
  const open = store.restarts.filter(({ isOpen }) => isOpen);
  const actions: Action[] = [...tellPool(queue, store), ...open.map((one) => goOnWith(one, queue, store))];
  if (found?.next) actions.push(replace(found.next, found, queue, store));
  actions.push(...asked(observed, found, now));
  const ms = lookAgainMs(found, open.length > 0);
  if (ms !== undefined) {
    actions.push({
      do: "wait",
      ms,
      reason: "WatchingHealth",
      sentence: "A worker is being replaced, or may have to be.",
    });
  }
  return { actions };
}

/** What the spec says about the loops of its workers travels by their heartbeats: changing it restarts nothing. */
function tellPool(queue: Queue, { toldLoopStallMs }: ReadyStore): readonly Action[] {
  const seconds = queue.spec.workers?.health.loopStallSeconds;
  const wanted = seconds === undefined || seconds * 1000 === LOOP_STALL_MS ? undefined : seconds * 1000;
  if (wanted === toldLoopStallMs) return [];
  const pool = poolOf(queue);
  return [
    {
      do: "configurePool",
      store: storeKeyOf(queue),
      pool,
      settings: { loopStallMs: wanted ?? null },
      actor: actorFor(pool),
      reason: "LoopStallDiffers",
      sentence: `spec.workers.health.loopStallSeconds of JobQueue ${pool} is ${seconds ?? "not set"}.`,
    },
  ];
}

const identityOf = ({ metadata: { namespace, name, uid } }: Queue): ObjectIdentity => ({
  kind: "JobQueue",
  namespace,
  name,
  uid,
});

function replace(
  { pod, worker, verdict, silentMs }: Judged,
  found: Health,
  queue: Queue,
  store: ReadyStore,
): OpenRestart {
  const limits = queue.spec.workers?.health;
  if (!worker || !isHung(verdict) || !limits) throw new Error("only hung workers are replaced");
  const pool = poolOf(queue);
  const { progress } = worker;
  const reason = HUNG_REASONS[verdict];
  return {
    do: "openRestart",
    store: storeKeyOf(queue),
    queue: identityOf(queue),
    restart: {
      ...aboutPod(pod, queue),
      reason,
      evidence: {
        hung: true,
        silentMs: Math.round(silentMs),
        heartbeatAt: new Date(progress.heartbeatAt).toISOString(),
        judgedAt: new Date(store.canary.at).toISOString(),
        renewing: progress.renewing,
        loopAgeMs: progress.loopAgeMs ?? null,
        lastClaimAgeMs: progress.lastClaimAgeMs ?? null,
        slotsBusy: progress.slotsBusy,
        slotsStuck: progress.slotsStuck,
        finished: progress.lastFinishAgeMs !== undefined,
        podReady: pod.ready,
      },
      hung: { worker: worker.id, verdict, silentMs: limits.heartbeatTimeoutSeconds * 1000 },
    },
    budget: budgetOf(limits, found.judged.length),
    actor: actorFor(pool),
    reason,
    sentence: `The worker of pod ${pod.name} ${wordsOf({ pod, worker, verdict, silentMs, lapsed: true })}.`,
  };
}

/**
 * A person asked for the restart of one worker by an annotation: the worst, else the oldest. Once for each new value, which the
 * intent remembers: a crash before the status says so does not cost a second worker. Neither gate nor budget is asked; a
 * disruption budget is.
 */
function asked({ queue, store, pods }: Observed, found: Health | undefined, now: number): readonly OpenRestart[] {
  const request = queue && requestOf(queue);
  if (!queue || request === undefined || store.is !== "ready" || pods === "unknown") return [];
  if (queue.status?.handledRequests?.restart === request || isCarriedOut(store.restarts, request)) return [];
  const known = new Set(store.restarts.map(({ podUid }) => podUid));
  const free = (pod: PodObserved): boolean => !pod.over && !pod.leaving && !known.has(pod.uid);
  const worst = found?.hung.find(({ pod }) => free(pod));
  const pod = worst?.pod ?? pods.filter(free).toSorted((a, b) => a.createdAt - b.createdAt)[0];
  if (!pod) return [];
  const pool = poolOf(queue);
  return [
    {
      do: "openRestart",
      store: storeKeyOf(queue),
      queue: identityOf(queue),
      restart: {
        ...aboutPod(pod, queue),
        reason: "Requested",
        evidence: { hung: worst !== undefined, request, askedAt: new Date(now).toISOString() },
        ...(worst?.worker && { worker: worst.worker.id }),
      },
      budget: budgetOf(queue.spec.workers?.health ?? NO_LIMITS, pods.length),
      actor: actorFor(pool),
      reason: "RestartRequested",
      sentence: `${ANNOTATIONS.restartRequested.name} of JobQueue ${pool} is "${request}".`,
    },
  ];
}

const NO_LIMITS = { maxConcurrentRestarts: 1, minSecondsBetweenRestarts: 0 } as const;

const aboutPod = (pod: PodObserved, queue: Queue): Omit<OpenRestart["restart"], "reason" | "evidence"> => ({
  pool: poolOf(queue),
  queue: queueNameOf(queue),
  templateHash: pod.templateHash === "" ? "unknown" : pod.templateHash,
  namespace: queue.metadata.namespace,
  pod: pod.name,
  podUid: pod.uid,
  node: pod.node,
});

function goOnWith(restart: RestartSeen, queue: Queue, store: ReadyStore): ContinueRestart {
  const workers = queue.spec.workers;
  const hung = restart.evidence["hung"] === true;
  const grace = workers?.health.hungGracePeriodSeconds ?? Math.min(30, workers?.drainTimeoutSeconds ?? 30);
  return {
    do: "continueRestart",
    store: storeKeyOf(queue),
    queue: identityOf(queue),
    restart,
    recover: store.jobStore.spec.staleLockRecovery.mode === "Recover",
    graceSeconds: hung ? Math.max(1, grace) : undefined,
    evictionTimeoutMs: (workers?.health.evictionTimeoutSeconds ?? 300) * 1000,
    actor: actorFor(poolOf(queue)),
    reason: restart.reason,
    sentence: `Pod ${restart.pod} is replaced: ${restart.asked ? "somebody asked for it" : "its worker is hung"} (${restart.reason}).`,
  };
}

/** When the passing of time alone may change something, milliseconds. */
function lookAgainMs(found: Health | undefined, replacing: boolean): number | undefined {
  if (replacing) return LOOK_MS;
  if (!found) return undefined;
  const suspicious = found.judged.some(
    ({ worker, lapsed, verdict }) =>
      verdict !== "gone" &&
      verdict !== "draining" &&
      worker !== undefined &&
      (lapsed || worker.progress.slotsStuck >= worker.progress.slots || claimsSeldom(worker.progress)),
  );
  if (found.hung.length === 0 && !suspicious) return found.closed?.waitMs;
  return Math.max(LOOK_MS, Math.min(found.closed?.waitMs ?? LOOK_MS, LOOK_MS));
}

/** A claim loop that polls claims every few seconds when a slot is free. */
const CLAIMS_SELDOM_MS = 15_000;

const claimsSeldom = ({ slots, slotsBusy, lastClaimAgeMs = 0 }: NonNullable<Judged["worker"]>["progress"]): boolean =>
  slotsBusy < slots && lastClaimAgeMs >= CLAIMS_SELDOM_MS;

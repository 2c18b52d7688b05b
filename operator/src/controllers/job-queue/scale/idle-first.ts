/**
 * Idle-first scale-down: which step towards fewer workers is next. A busy worker is not the victim while waiting may help.
 *
 * The ReplicaSet controller picks the pods that go: first those that are not ready, then those of the lowest deletion cost
 * (kubernetes pkg/controller, ActivePodsWithRanks). So, in this order, each step only when those before it are seen done:
 *
 * 1. *Drain* workers in the store that hold no job. They claim nothing from then on; the database decides the race with
 *    their claims (store/migrations/000015_pools.sql).
 * 2. Give the pods of drained workers the lowest *deletion cost* (KEP-2255: shortly before scaling only); no busy worker's
 *    pod ever has it.
 * 3. *Lower replicas* by as many as are drained, or have no worker at all. In portions, as workers become idle.
 * 4. *Clear*: pods go and take their cost with them. A drained worker that stays, because more workers are wanted again or
 *    another pod went in its place, is released once nothing is left to be removed, and its pod's cost is taken away.
 *
 * Every step is derived from what is there (store, pods, Deployment), nothing is remembered but since when it waits. So it
 * may stop anywhere and go on from there; where all is as it should be there is no step. An increase is never delayed: the
 * Deployment is raised first, the drained are released when that has been seen. What is not known leads to waiting.
 */
import type { WorkerSeen } from "../../job-store/store-view.ts";
import type { PodObserved } from "../observed.ts";

/** What the next step depends on. */
export interface IdleFirstFacts {
  /** How many workers there should be in the end. */
  readonly target: number;
  /** What the Deployment asks for now. */
  readonly current: number;
  /** The Deployment controller has seen that, and no roll-out is under way. */
  readonly settled: boolean;
  readonly pods: readonly PodObserved[] | "unknown";
  /** The workers of the pool; `unknown` while the store does not say. */
  readonly workers: readonly WorkerSeen[] | "unknown";
  /** How long busy workers may still be waited for, milliseconds; 0 or less: not any more; Infinity: as long as it takes. */
  readonly graceMs: number;
}

/** A change to workers or pods. Empty lists and 0 mean nothing to do. */
export interface IdleFirst {
  /** What the Deployment should ask for now. */
  readonly replicas: number;
  /** So many idle workers are to be drained, those in `firstPods` first. */
  readonly drain: number;
  /** UIDs of pods that the ReplicaSet controller would take first. */
  readonly firstPods: readonly string[];
  /** Ids of workers that may take jobs again. */
  readonly release: readonly string[];
  /** Pods that get the lowest deletion cost. */
  readonly cost: readonly PodObserved[];
  /** Pods whose deletion cost is taken away again. */
  readonly uncost: readonly PodObserved[];
  /** When to look again, milliseconds from now; absent: when something changes. */
  readonly waitMs?: number;
}

/** The deletion cost of pods that are to go first: nobody would write this number by hand, so it is known as ours. */
export const IDLE_COST = "-2147483001";

/** How often to look for workers that became idle, milliseconds. */
const LOOK_MS = 2_000;

const NOTHING: Omit<IdleFirst, "replicas"> = { drain: 0, firstPods: [], release: [], cost: [], uncost: [] };

/** The next step. */
export function idleFirst(facts: IdleFirstFacts): IdleFirst {
  const { target, current, pods, workers, graceMs } = facts;
  const shrinks = target < current;
  const patient = shrinks && graceMs > 0;
  const waitMs = Math.min(LOOK_MS, Math.max(1, graceMs));
  if (pods === "unknown" || workers === "unknown") {
    return { ...NOTHING, replicas: patient ? current : target, ...(patient && { waitMs }) };
  }
  const active = pods.filter(({ over, leaving }) => !over && !leaving);
  const kept = active.map((pod) => ({
    pod,
    workers: workers.filter(({ alive, podUid }) => alive && podUid === pod.uid),
  }));
  const drained = kept
    .filter((one) => one.workers.length > 0 && one.workers.every((worker) => worker.drained))
    .sort((a, b) => Number(a.pod.ready) - Number(b.pod.ready));
  const empty = kept.filter((one) => !one.pod.ready && one.workers.length === 0);
  const stale = kept
    .filter((one) => one.pod.deletionCost === IDLE_COST && !drained.includes(one) && !empty.includes(one))
    .map(({ pod }) => pod);
  const carriedOut = facts.settled && active.length <= current;
  if (!shrinks) {
    if (target > current || !carriedOut) return { ...NOTHING, replicas: target, uncost: stale };
    return { ...NOTHING, replicas: target, release: idsOf(drained), uncost: stale };
  }
  if (!carriedOut || stale.length > 0) {
    return { ...NOTHING, replicas: patient ? current : target, uncost: stale, ...(patient && { waitMs }) };
  }
  // Workers in pods that are not ready go before any that is, whatever the costs: drained if idle, else waited for.
  const ahead = kept.filter((one) => !one.pod.ready && one.workers.length > 0 && !drained.includes(one));
  const free = current - active.length + empty.length;
  const leaving = current - target;
  const needed = Math.max(0, leaving - free);
  const going = drained.slice(0, needed);
  const next = {
    ...NOTHING,
    drain: needed - going.length,
    firstPods: ahead.map(({ pod }) => pod.uid),
    release: idsOf(drained.slice(needed)),
  };
  const sure = ahead.length === 0 ? going : going.filter(({ pod }) => !pod.ready);
  const removable = next.release.length > 0 ? 0 : Math.min(leaving, free + sure.length);
  const uncosted = [...going, ...(ahead.length === 0 ? [] : empty)]
    .map(({ pod }) => pod)
    .filter(({ deletionCost }) => deletionCost !== IDLE_COST);
  const lowered = current - (patient ? removable : leaving);
  if (lowered === current) return { ...next, replicas: current, waitMs };
  // Whoever may go goes before more are asked for: a store that is slow to answer that must not keep them.
  const removal = { ...next, drain: 0 };
  // Where all go the order does not matter.
  if (lowered > 0 && uncosted.length > 0) return { ...removal, replicas: current, cost: uncosted, waitMs };
  return { ...removal, replicas: lowered, ...(lowered > target && { waitMs }) };
}

const idsOf = (kept: readonly { readonly workers: readonly WorkerSeen[] }[]): readonly string[] =>
  kept.flatMap(({ workers }) => workers.map(({ id }) => id));

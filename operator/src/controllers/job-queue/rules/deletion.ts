/**
 * A JobQueue that is gone, or going.
 *
 * By default there is no finaliser: the Deployment goes with its owner reference, the jobs stay in the store (G18), and the
 * JobStore releases the hold and the schedules it leaves behind (see `spec-hold.ts`). With `deletionPolicy: Delete` or
 * `DeleteIfEmpty` there is one (`rules/finalizer.ts`), and then:
 *
 * 1. *It never wedges.* Without a JobStore (as when a namespace goes), or with one that does not let it in, for a queue that another JobQueue manages or waits to
 *    manage, and with `Retain`, also when that is written late, the finaliser is taken away and nothing else happens.
 * 2. *Nothing starts, nothing is cut short.* Before `Delete` the queue is held; it is deleted when none of its jobs runs. The
 *    store looks again itself, under the lock that claims share.
 * 3. *Unknown never deletes.* A store that does not answer is waited for, and people are told how to let go.
 * 4. *Only what was ours.* An object that never became Ready has asserted nothing, and deletes nothing.
 * 5. *Once.* A queue that the store does not know any more was deleted by a leader that died before it let go: a hold for its
 *    sake would make it anew.
 */
import type { Action } from "../../../plan/action.ts";
import type { Finding, Problem } from "../../../plan/plan.ts";
import { actorFor, SPEC_HOLD, specActor } from "../../spec-hold.ts";
import { conditionOf } from "../../conditions.ts";
import { FINALIZER, poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";

/** How often to look whether the last job has ended, beside being told. */
const BLOCKED_LOOK_MS = 5_000;

/** See the head of this file. While somebody else's finaliser keeps the object, nothing is made again under their hands. */
export function deletion({ queue, store, rivals }: Observed): Finding {
  if (queue === undefined) return { halt: true };
  const { deletionTimestamp, finalizers = [] } = queue.metadata;
  if (deletionTimestamp === undefined) return {};
  if (!finalizers.includes(FINALIZER)) return { halt: true };
  const { deletionPolicy } = queue.spec;
  if (deletionPolicy === "Retain") return { halt: true, actions: [letGo(queue, "spec.deletionPolicy is Retain.")] };
  if (rivals.length > 0) return { halt: true, actions: [letGo(queue, "Another JobQueue is there for the queue.")] };
  if (store.is === "absent") return { halt: true, actions: [letGo(queue, "Its JobStore is gone.")] };
  if (store.is === "notAllowed") return { halt: true, actions: [letGo(queue, "It may not use its JobStore.")] };
  if (!wasReady(queue)) return { halt: true, actions: [letGo(queue, "It was never in force.")] };
  if (store.is !== "ready") {
    if (store.is === "unusable" && store.view.is === "starting") return { halt: true };
    return blocked(queue, "the store cannot be used now", "Unknown");
  }

  const name = queueNameOf(queue);
  const pool = poolOf(queue);
  if (!store.counts && !store.policy && !store.holds.some((hold) => hold.queue === name)) {
    return { halt: true, actions: [letGo(queue, "The store does not know the queue.")] };
  }
  const common = { store: storeKeyOf(queue), queue: name };
  const because = `JobQueue ${pool} is being deleted`;
  const actions: Action[] = [];
  if (deletionPolicy === "Delete" && !store.holds.some((hold) => hold.queue === name && hold.name === SPEC_HOLD)) {
    const actor = specActor(pool, store.jobStore);
    const hold = { hold: SPEC_HOLD, source: SPEC_HOLD, because, until: undefined, actor };
    actions.push({ do: "setHold", ...common, ...hold, reason: "Deleting", sentence: `${because}.` });
  }
  if ((store.counts?.running ?? 0) > 0) {
    const { actions: waits = [], ...rest } = blocked(queue, "jobs of the queue are still running", "False");
    return { ...rest, actions: [...actions, ...waits] };
  }
  actions.push({
    do: "deleteQueue",
    ...common,
    onlyIfEmpty: deletionPolicy === "DeleteIfEmpty",
    actor: actorFor(pool),
    reason: "Deleting",
    sentence: `${because}, and its deletionPolicy is ${deletionPolicy}.`,
  });
  actions.push(letGo(queue, "The queue is dealt with."));
  return { halt: true, actions };
}

/** Whether a status was ever written that said so; transitions of Ready to False keep `observedGeneration` all the same. */
function wasReady({ status }: StoredJobQueue): boolean {
  const ready = conditionOf(status?.conditions, "Ready");
  return ready !== undefined && ready.reason !== "QueueConflict" && status?.jobs !== undefined;
}

function letGo({ metadata }: StoredJobQueue, sentence: string): Action {
  const { namespace, name, uid, resourceVersion, finalizers = [] } = metadata;
  return {
    do: "setFinalizers",
    object: { kind: "JobQueue", namespace, name, uid },
    resourceVersion,
    finalizers: finalizers.filter((one) => one !== FINALIZER),
    reason: "Deleting",
    sentence,
  };
}

function blocked(queue: StoredJobQueue, why: string, ready: Problem["ready"]): Finding {
  const sentence = `JobQueue ${poolOf(queue)} is being deleted, and its deletionPolicy waits: ${why}. To let it go at once and keep the jobs, write deletionPolicy: Retain.`;
  return {
    halt: true,
    problem: { reason: "DeletionBlocked", sentence, ready, needsPerson: false },
    actions: [{ do: "wait", ms: BLOCKED_LOOK_MS, reason: "DeletionBlocked", sentence }],
  };
}

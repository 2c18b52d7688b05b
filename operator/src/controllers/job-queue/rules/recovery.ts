/**
 * Recovery of the jobs of pods that are gone.
 *
 * Nothing here is needed for correctness: a worker that dies stops renewing its lease, and any worker's sweep, or the
 * operator's, hands its jobs on when the lease has lapsed (30 s by default). The operator only shortens that to about a
 * second where it *knows* that the process cannot come back. The protocol:
 *
 * 1. *Evidence is about one pod UID.* Names are used again, UIDs never are. A pod is gone when it ended for good (phase
 *    Succeeded or Failed) or when it is not in the API any more.
 * 2. *Absence must be seen, not assumed.* "Not in the cache" counts only after the pods were listed completely. A pod that
 *    this process once saw and now misses counts at once. One it never saw (it vanished while no operator ran) counts
 *    only when its worker has also been silent for half its lease: otherwise the pool of the same name in another
 *    cluster on the same database would be declared dead while it works.
 * 3. *Confirmed live.* Before acting, `apply` reads each pod from the API server; one that is still there with the same UID
 *    is left alone. A cache that lags, or an API server that serves old data, can therefore delay but not mislead.
 * 4. *Fence, then recover.* The store first marks the workers of these pods as gone, which takes their leases; then the jobs
 *    of exactly these workers are recovered, each under a new lease token. A process that lives on unseen (a pod deleted
 *    by force from a node that cannot be reached) can write nothing from then on.
 * 5. *Everything else is left to the lease:* a pod on an unreachable node (still there, Unknown, or Terminating without
 *    confirmation), a container that restarts in place (its new incarnation replaces the old one in the store when it
 *    registers), a worker without a pod.
 *
 * Repeating any step changes nothing; 4's two halves are one transaction, so a crash leaves both to the next leader or neither.
 */
import type { PodIdentity } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import type { WorkerSeen } from "../../job-store/store-view.ts";
import { poolOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** Longest text of pod names in a sentence before the rest is only counted. */
const NAMED_PODS = 3;

/** The jobs of pods that are gone are handed on. */
export function recovery({ queue, store, pods, podsSeenBefore }: Observed): Finding {
  if (!queue || store.is !== "ready" || pods === "unknown") return {};
  if (store.jobStore.spec.staleLockRecovery.mode !== "Recover") return {}; // a person's: the JobStore tells of them
  const gone: PodIdentity[] = [];
  let soonest: number | undefined;
  for (const worker of store.workers) {
    if (worker.podUid === undefined || worker.pool !== poolOf(queue)) continue;
    const pod = pods.find(({ uid }) => uid === worker.podUid);
    if (pod && !pod.over) continue;
    const waitMs = pod || podsSeenBefore.has(worker.podUid) ? 0 : untilSilent(worker);
    if (waitMs > 0) soonest = Math.min(soonest ?? waitMs, waitMs);
    else if (!gone.some(({ uid }) => uid === worker.podUid)) gone.push(podOf(worker, queue.metadata.namespace));
  }
  return {
    actions: [
      ...(gone.length === 0
        ? []
        : [
            {
              do: "recoverPods" as const,
              store: storeKeyOf(queue),
              actor: actorFor(poolOf(queue)),
              pods: gone,
              reason: "PodGone",
              sentence: sentenceOf(gone),
            },
          ]),
      ...(soonest === undefined
        ? []
        : [
            {
              do: "wait" as const,
              ms: soonest,
              reason: "PodUnconfirmed",
              sentence: "A worker names a pod that this cluster does not show; its silence is awaited.",
            },
          ]),
    ],
  };
}

/** Milliseconds until a worker has been silent for half its lease. Heartbeats come every third of it. */
function untilSilent({ leaseMs, silentMs }: WorkerSeen): number {
  return Math.max(0, leaseMs / 2 - silentMs);
}

function podOf(worker: WorkerSeen, namespace: string): PodIdentity {
  return { uid: worker.podUid ?? "", namespace: worker.namespace ?? namespace, name: worker.pod ?? "" };
}

function sentenceOf(pods: readonly PodIdentity[]): string {
  const names = pods.slice(0, NAMED_PODS).map(({ name, uid }) => name || uid);
  const more = pods.length - names.length;
  return `${pods.length === 1 ? "The pod" : "The pods"} ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""} ${pods.length === 1 ? "is" : "are"} gone.`;
}

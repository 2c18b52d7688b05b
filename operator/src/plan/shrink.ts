/**
 * The hands of idle-first scale-down (`controllers/job-queue/scale/idle-first.ts` says which step is when). Each is idempotent:
 * what was drained, released or ranked already changes nothing.
 */
import { drainIdleWorkers, releaseDrainedWorkers, type Session } from "@jobqueue/store";
import { PODS } from "../controllers/kinds.ts";
import { DELETION_COST } from "../controllers/job-queue/pods.ts";
import { isConflict, isNotFound, type KubeClient } from "../kube/index.ts";
import type { DrainWorkers, RankPods, ReleaseWorkers } from "./action.ts";

/** Drains idle workers of a pool; fewer than asked for when fewer are idle. @throws StoreError */
export async function drainWorkers(session: Session, action: DrainWorkers): Promise<void> {
  const { pool, count, firstPods, actor, sentence: reason } = action;
  await drainIdleWorkers(session, { pool, count, firstPods, actor, reason });
}

/** Lets drained workers take jobs again. @throws StoreError */
export async function releaseWorkers(session: Session, action: ReleaseWorkers): Promise<void> {
  const { workers: ids, actor, sentence: reason } = action;
  await releaseDrainedWorkers(session, { ids, actor, reason });
}

/** Sets, or takes away, the deletion cost of exactly these pods; one that is gone or replaced is left alone. @throws KubeError */
export async function rankPods(client: KubeClient, { pods, cost }: RankPods, signal: AbortSignal): Promise<void> {
  for (const { namespace, name, uid } of pods) {
    const patch = { metadata: { uid, annotations: { [DELETION_COST]: cost ?? null } } };
    try {
      await client.mergePatch(PODS, { namespace, name }, patch, { signal });
    } catch (error) {
      // A patch without a resourceVersion conflicts only when the UID is another one.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/**
 * What a plan was made from, and whether it is still so.
 *
 * A cache lags, and an API server may serve an old list or watch (a partition, a second API server behind its etcd). A plan
 * made from what *was* may be the opposite of what is asked: release the pause that has just been set, shrink a pool that has
 * just been enlarged (the "stale state" bugs of Sieve, OSDI 2022: rabbitmq/cluster-operator#648, #653). So nothing is taken
 * away on the word of a cache: the object is read from the API server itself, which answers such a read from the quorum of
 * etcd or not at all. What only adds (a hold, a queue, a first Deployment) does not wait for that.
 */
import { JOB_QUEUES, JOB_STORES } from "../controllers/kinds.ts";
import type { KubeClient } from "../kube/index.ts";
import type { Action, ObjectIdentity } from "./action.ts";

/** The object a plan was made from, as it was then. */
export interface Basis extends ObjectIdentity {
  readonly generation: number | undefined;
}

/** The plan was made from an object that is another one by now, or that cannot be read; a new plan will be made. */
class OutdatedPlan extends Error {
  override readonly name = "OutdatedPlan";
}

/** The basis of a plan for an object as it was observed. */
export function basisOf(
  kind: Basis["kind"],
  object:
    | {
        readonly metadata: {
          readonly namespace?: string;
          readonly name: string;
          readonly uid: string;
          readonly generation?: number;
        };
      }
    | undefined,
): Basis | undefined {
  if (!object) return undefined;
  const { namespace = "", name, uid, generation } = object.metadata;
  return { kind, namespace, name, uid, generation };
}

const TAKING: ReadonlySet<Action["do"]> = new Set([
  "openRestart",
  "deleteDeployment",
  "deleteDisruptionBudget",
  "deleteQueue",
]);

/** Whether an action takes something away: a pause, workers, jobs, ticks. */
export function takesAway(action: Action): boolean {
  // Those two ask for themselves where it is an absence that they rest on.
  if (action.do === "releaseHold" || action.do === "deleteSchedule") return action.unlessExists === undefined;
  if (action.do === "applyDeployment") return action.uid !== undefined;
  return TAKING.has(action.do);
}

/** Reads the object from the API server. @throws OutdatedPlan unless it is still as it was */
export async function confirm(basis: Basis, client: KubeClient, signal: AbortSignal): Promise<void> {
  const { kind, namespace, name, uid, generation } = basis;
  const target = { namespace, name };
  try {
    const live =
      kind === "JobQueue"
        ? await client.find(JOB_QUEUES, target, { signal })
        : await client.find(JOB_STORES, target, { signal });
    if (live?.metadata.uid === uid && live.metadata.generation === generation) return;
  } catch (cause) {
    throw new OutdatedPlan(`${kind} ${namespace}/${name} could not be read before something was taken away`, { cause });
  }
  throw new OutdatedPlan(`${kind} ${namespace}/${name} is not any more what the plan was made from`);
}

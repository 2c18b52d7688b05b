import type { Action } from "../../../plan/action.ts";
import type { Finding } from "../../../plan/plan.ts";
import { actorFor } from "../../spec-hold.ts";
import { poolOf, storeKeyOf } from "../desired/names.ts";
import type { Observed, PodObserved } from "../observed.ts";
import { IDLE_COST } from "../scale/idle-first.ts";

/**
 * The next step towards fewer workers, or back (see `scale/idle-first.ts`): what it changes in the store and on pods. The
 * number itself is in the Deployment that the rule about the workers applies afterwards.
 */
export function scale({ queue, scale: decision, deployment, template }: Observed): Finding {
  if (!queue?.spec.workers || !decision || deployment.is !== "ours") return {};
  if (template.is === "refused") return {}; // the Deployment cannot be changed, so nobody is made ready to go
  const { step, wanted, waitMs } = decision;
  const store = storeKeyOf(queue);
  const pool = poolOf(queue);
  const actor = actorFor(pool);
  const actions: Action[] = [];
  if (step.release.length > 0) {
    const sentence = "More workers are wanted again than will have gone: these stay.";
    actions.push({ do: "releaseWorkers", store, workers: step.release, actor, reason: "WorkersWanted", sentence });
  }
  if (step.uncost.length > 0) {
    const sentence = "The workers of these pods are not to go first any more.";
    actions.push({ ...ranking(queue, step.uncost, undefined), reason: "WorkersWanted", sentence });
  }
  if (step.drain > 0) {
    const sentence = `${wanted} ${wanted === 1 ? "worker is" : "workers are"} wanted, fewer than there are: idle ones go first.`;
    const { drain: count, firstPods } = step;
    actions.push({ do: "drainWorkers", store, pool, count, firstPods, actor, reason: "FewerWorkers", sentence });
  }
  if (step.cost.length > 0) {
    const sentence = "Their workers are idle and claim nothing any more: these pods go first.";
    actions.push({ ...ranking(queue, step.cost, IDLE_COST), reason: "FewerWorkers", sentence });
  }
  if (waitMs !== undefined) {
    const sentence = "How many workers are wanted may change, or how many of them are idle.";
    actions.push({ do: "wait", ms: waitMs, reason: "Scaling", sentence });
  }
  return { actions };
}

function ranking(
  { metadata: { namespace } }: NonNullable<Observed["queue"]>,
  pods: readonly PodObserved[],
  cost: string | undefined,
): Pick<Extract<Action, { do: "rankPods" }>, "do" | "pods" | "cost"> {
  return { do: "rankPods", pods: pods.map(({ uid, name }) => ({ uid, namespace: namespace ?? "", name })), cost };
}

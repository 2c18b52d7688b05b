import type { JobQueueStatus } from "@jobqueue/crds";
import type { Problem } from "../../../plan/action.ts";
import type { Verdict } from "../../conditions.ts";
import type { StoredDeployment } from "../../kubernetes-objects.ts";
import { selectorOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** The part of the status that says which workers there are. */
export type Pool = Pick<JobQueueStatus, "replicas" | "selector" | "workers">;

/** Pods of the pool that are ready, by its Deployment; `undefined` when that cannot be told. */
function readyPods({ deployment }: Observed): number | undefined {
  if (deployment.is === "unknown") return undefined;
  return deployment.is === "ours" ? (deployment.object.status?.readyReplicas ?? 0) : 0;
}

/** Pods that are wanted now: what the Deployment should say, where that is known. */
function wantedPods({ queue, desired }: Observed): number {
  if (!queue?.spec.workers) return 0;
  return desired?.spec.replicas ?? queue.spec.replicas;
}

/** Counts of workers. `replicas` and `selector` are what `/scale` shows, so they are there for every queue. */
export function poolOfStatus(observed: Observed, before: JobQueueStatus | undefined): Pool {
  const { queue, deployment } = observed;
  if (!queue) return {};
  const selector = Object.entries(selectorOf(queue))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const ready = readyPods(observed) ?? before?.workers?.ready ?? 0;
  const replicas = deployment.is === "ours" ? (deployment.object.status?.replicas ?? 0) : 0;
  return {
    replicas: deployment.is === "unknown" ? (before?.replicas ?? 0) : replicas,
    selector,
    ...(queue.spec.workers && { workers: { desired: wantedPods(observed), ready } }),
  };
}

/** The condition WorkersAvailable: is there anybody to run the jobs? */
export function workersVerdict(observed: Observed): Extract<Verdict<"JobQueue">, { type: "WorkersAvailable" }> {
  const type = "WorkersAvailable";
  const { queue, servedBy } = observed;
  const wanted = wantedPods(observed);
  const ready = readyPods(observed) ?? queue?.status?.workers?.ready ?? 0;
  if (wanted > 0 && ready > 0) {
    const message = `${ready} of ${wanted} ${wanted === 1 ? "worker is" : "workers are"} ready.`;
    return { type, status: "True", reason: "MinimumAvailable", message };
  }
  const others = servedBy.map(({ name }) => name).sort();
  if (servedBy.some((pool) => pool.ready > 0)) {
    return {
      type,
      status: "True",
      reason: "ServedByOther",
      message: `The workers of ${others.join(", ")} serve this queue.`,
    };
  }
  if (wanted > 0) {
    return {
      type,
      status: "False",
      reason: "PodsNotReady",
      message: `None of ${wanted} ${wanted === 1 ? "worker" : "workers"} is ready.`,
    };
  }
  if (queue?.spec.workers && queue.spec.state === "Stopped" && queue.spec.replicas > 0) {
    const message = "spec.state is Stopped: the workers have gone; they come back with Active or Paused.";
    return { type, status: "False", reason: "Stopped", message };
  }
  if (queue?.spec.workers) {
    return {
      type,
      status: "False",
      reason: "ScaledToZero",
      message: "spec.replicas is 0: jobs wait until it is raised.",
    };
  }
  if (others.length > 0) {
    const message = `The workers of ${others.join(", ")}, which serve this queue, are not ready.`;
    return { type, status: "False", reason: "PodsNotReady", message };
  }
  const message = "This JobQueue has no spec.workers and no other JobQueue of the store names the queue in alsoServes.";
  return { type, status: "False", reason: "NoWorkersConfigured", message };
}

/** What keeps the Deployment from being what was applied; `undefined` when it is. As `kubectl rollout status` sees it. */
export function rolloutProblem(observed: Observed): Problem | undefined {
  const { queue, deployment } = observed;
  if (!queue?.spec.workers) return undefined;
  if (deployment.is === "absent") return progressing("The Deployment of the workers is being made.");
  if (deployment.is !== "ours") return undefined; // the rule about the Deployment has spoken
  return problemOf(deployment.object, wantedPods(observed));
}

function problemOf({ metadata, status }: StoredDeployment, wanted: number): Problem | undefined {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    return progressing("The Deployment of the workers was changed and not looked at yet.");
  }
  const late = status?.conditions?.find(
    ({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded",
  );
  const { replicas = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status ?? {};
  if (updated >= wanted && replicas <= updated && available >= wanted && replicas <= wanted) return undefined;
  if (late) {
    const sentence = `New workers did not become ready in time (${available} of ${wanted} are available); look at the events of the pods.`;
    return { reason: "WorkerRolloutFailed", sentence, ready: "False", needsPerson: true };
  }
  if (updated < wanted) return progressing(`${updated} of ${wanted} workers are up to date.`);
  if (replicas > updated) return progressing(`${replicas - updated} old workers are still to go.`);
  if (available < wanted) return progressing(`${available} of ${wanted} workers are available.`);
  return progressing(`${replicas - wanted} ${replicas - wanted === 1 ? "worker is" : "workers are"} still to go.`);
}

const progressing = (sentence: string): Problem => ({
  reason: "Progressing",
  sentence,
  ready: "False",
  needsPerson: false,
});

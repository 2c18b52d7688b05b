import type { JobQueueStatus } from "@jobqueue/crds";
import type { Problem } from "../../../plan/plan.ts";
import type { Verdict } from "../../conditions.ts";
import type { StoredDeployment } from "../../kubernetes-objects.ts";
import { selectorOf } from "../desired/names.ts";
import { hungWorkers } from "./health.ts";
import type { Observed, PodTrouble } from "../observed.ts";

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
export function poolOfStatus(observed: Observed, before: JobQueueStatus | undefined, now: number): Pool {
  const { queue, deployment } = observed;
  if (!queue) return {};
  const selector = Object.entries(selectorOf(queue))
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
  const ready = readyPods(observed) ?? before?.workers?.ready ?? 0;
  const hung = hungWorkers(observed, now) ?? before?.workers?.hung;
  const replicas = deployment.is === "ours" ? (deployment.object.status?.replicas ?? 0) : 0;
  return {
    replicas: deployment.is === "unknown" ? (before?.replicas ?? 0) : replicas,
    selector,
    ...(queue.spec.workers && {
      workers: { desired: observed.scale?.wanted ?? wantedPods(observed), ready, ...(hung !== undefined && { hung }) },
    }),
  };
}

/** The condition WorkersAvailable: is there anybody to run the jobs? */
export function workersVerdict(observed: Observed): Extract<Verdict<"JobQueue">, { type: "WorkersAvailable" }> {
  const type = "WorkersAvailable";
  const { queue, servedBy } = observed;
  const autoscaling = queue?.spec.workers?.autoscaling !== undefined;
  const wanted = wantedPods(observed);
  const ready = readyPods(observed) ?? queue?.status?.workers?.ready ?? 0;
  if (wanted > 0 && ready > 0) {
    const message = `${ready} of ${wanted} ${wanted === 1 ? "worker is" : "workers are"} ready.${surplus(observed)}${unconfirmed(observed)}`;
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
    const none = `None of ${wanted} ${wanted === 1 ? "worker" : "workers"} is ready`;
    const trouble = poolTrouble(observed);
    const message = `${none}${trouble ? `: ${trouble.sentence}` : ""}.${unconfirmed(observed)}`;
    return { type, status: "False", reason: trouble?.reason ?? "PodsNotReady", message };
  }
  if (queue?.spec.workers && queue.spec.state === "Stopped" && (queue.spec.replicas > 0 || autoscaling)) {
    const message = "spec.state is Stopped: the workers have gone; they come back with Active or Paused.";
    return { type, status: "False", reason: "Stopped", message };
  }
  if (queue?.spec.workers) {
    const message = autoscaling
      ? "Autoscaling has taken the last worker away, as there is nothing to run; the next job that may run brings one back."
      : "spec.replicas is 0: jobs wait until it is raised.";
    return { type, status: "False", reason: "ScaledToZero", message };
  }
  if (others.length > 0) {
    const message = `The workers of ${others.join(", ")}, which serve this queue, are not ready.`;
    return { type, status: "False", reason: "PodsNotReady", message };
  }
  const message = "This JobQueue has no spec.workers and no other JobQueue of the store names the queue in alsoServes.";
  return { type, status: "False", reason: "NoWorkersConfigured", message };
}

/** Workers that are one too many and go once they are idle. */
function surplus(observed: Observed): string {
  const { scale } = observed;
  const count = scale ? wantedPods(observed) - scale.wanted : 0;
  if (count <= 0) return "";
  return ` ${count} of them ${count === 1 ? "goes once it is" : "go as they become"} idle.`;
}

/** What stands in the way of the pool's pods; the first by its reason and name, and how many others have the same. */
function poolTrouble({ pods }: Observed): PodTrouble | undefined {
  if (pods === "unknown") return undefined;
  const troubled = pods
    .flatMap(({ name, leaving, trouble }) => (trouble && !leaving ? [{ name, trouble }] : []))
    .sort((a, b) => (`${a.trouble.reason} ${a.name}` < `${b.trouble.reason} ${b.name}` ? -1 : 1));
  const first = troubled[0]?.trouble;
  if (!first) return undefined;
  const same = troubled.filter(({ trouble }) => trouble.reason === first.reason).length - 1;
  return same === 0
    ? first
    : { ...first, sentence: `${first.sentence} (and ${same} other ${same === 1 ? "pod" : "pods"})` };
}

/**
 * Pods that are to go but whose node does not answer. Only the node can say that their processes have ended; until then they
 * may still run. They are told of, and never deleted by force: the fence, not the deletion, keeps them from doing harm.
 */
function unconfirmed({ pods }: Observed): string {
  if (pods === "unknown") return "";
  const silent = pods.filter(({ leaving, trouble }) => leaving && trouble?.reason === "NodeUnreachable");
  const first = silent.toSorted((a, b) => (a.name < b.name ? -1 : 1))[0];
  if (!first) return "";
  const others = silent.length === 1 ? "" : ` and ${silent.length - 1} more`;
  return ` That pod ${first.name}${others} has ended is awaited: the node ${first.node ?? ""} does not answer. Its jobs run elsewhere once their lease is over.`;
}

/** What keeps the Deployment from being what was applied; `undefined` when it is. As `kubectl rollout status` sees it. */
export function rolloutProblem(observed: Observed): Problem | undefined {
  const { queue, deployment } = observed;
  if (!queue?.spec.workers) return undefined;
  if (deployment.is === "absent") return progressing("The Deployment of the workers is being made.");
  if (deployment.is !== "ours") return undefined; // the rule about the Deployment has spoken
  return problemOf(deployment.object, wantedPods(observed), poolTrouble(observed));
}

function problemOf(
  { metadata, status }: StoredDeployment,
  wanted: number,
  trouble: PodTrouble | undefined,
): Problem | undefined {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    return progressing("The Deployment of the workers was changed and not looked at yet.");
  }
  const failure = status?.conditions?.find(
    (condition) => condition.type === "ReplicaFailure" && condition.status === "True",
  );
  const late = status?.conditions?.find(
    ({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded",
  );
  const { replicas = 0, updatedReplicas: updated = 0, availableReplicas: available = 0 } = status ?? {};
  if (updated >= wanted && replicas <= updated && available >= wanted && replicas <= wanted) return undefined;
  if (failure && Math.min(replicas, updated) < wanted) {
    // Every try has another random name: with it the message would never stay the same.
    const message = (failure.message ?? failure.reason ?? "").replace(/^pods "[^"]+" is/, "a new pod is");
    const sentence = `Pods of the workers cannot be created: ${message}`;
    return { reason: "WorkerRolloutFailed", sentence, ready: "False", needsPerson: message.includes("forbidden") };
  }
  if (late) {
    const why = trouble ? `: ${trouble.sentence}` : "; look at the events of the pods";
    const sentence = `New workers did not become ready in time (${available} of ${wanted} are available)${why}.`;
    return { reason: "WorkerRolloutFailed", sentence, ready: "False", needsPerson: true };
  }
  if (trouble) {
    const short =
      updated < wanted
        ? `${updated} of ${wanted} workers are up to date`
        : `${available} of ${wanted} workers are available`;
    const sentence = `${short}: ${trouble.sentence}.`;
    return { reason: trouble.reason, sentence, ready: "False", needsPerson: false };
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

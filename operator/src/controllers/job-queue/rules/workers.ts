import type { Finding, Problem } from "../../../plan/plan.ts";
import { firstDifference } from "../desired/drift.ts";
import type { DesiredDeployment } from "../desired/deployment.ts";
import { APPLIED_HASH } from "../desired/names.ts";
import type { DeploymentObserved, Observed } from "../observed.ts";
import { leftover, leftoverPods } from "./leftover.ts";

/** How often to look at what cannot be watched: a Deployment without our labels. */
const FOREIGN_LOOK_MS = 60_000;
/** How often to ask again about what was refused: quotas, policies and rights change without a word. */
const REFUSED_LOOK_MS = 60_000;
/** How soon to read again what could not be read. */
const UNKNOWN_LOOK_MS = 5_000;

/**
 * The Deployment is what spec.workers says. Never touches one that this very JobQueue does not own; a Deployment that
 * exists is brought in line whatever the store does, because that may be the cure, but a first one waits for the store:
 * its workers could only fail, and the pause of a queue that starts its life paused must be in force before they run.
 */
export function workers(observed: Observed, now: number): Finding {
  const { queue, deployment, desired } = observed;
  if (!queue) return {};
  if (!queue.spec.workers) return withoutWorkers(deployment);
  if (!desired) return {}; // invalid, or no JobStore and so no address: what runs goes on running
  if (deployment.is === "unknown") return waitFor("DeploymentUnknown", deployment.sentence, UNKNOWN_LOOK_MS);
  if (deployment.is === "foreign") return foreign(desired.metadata.name, deployment.owner);
  if (deployment.is !== "leftover") return bringInLine(observed, desired, deployment, now);
  return leftover(queue, "Deployment", deployment.object, now);
}

function bringInLine(
  { store, template, pods }: Observed,
  desired: DesiredDeployment,
  deployment: Extract<DeploymentObserved, { is: "absent" | "ours" }>,
  now: number,
): Finding {
  const change = deployment.is === "ours" ? changeOf(desired, deployment) : "the pool has no Deployment yet";
  if (change === undefined) return {};
  if (template.is === "refused") {
    const reason = template.judged ? "InvalidPodTemplate" : "WorkerRolloutFailed";
    const sentence = template.judged
      ? template.sentence
      : `The API server forbids the Deployment: ${template.sentence}`;
    return { ...waitFor(reason, sentence, REFUSED_LOOK_MS), problem: problem(reason, sentence, true) };
  }
  if (template.is === "unknown") return waitFor("TemplateUnknown", template.sentence, UNKNOWN_LOOK_MS);
  if (deployment.is === "absent") {
    if (store.is !== "ready") return {}; // the store's own problem is told already
    const waits = leftoverPods(pods, deployment.since, now);
    if (waits) return waits;
  }
  const uid = deployment.is === "ours" ? deployment.object.metadata.uid : undefined;
  const reason = uid === undefined ? "WorkersMissing" : "WorkersDiffer";
  return { actions: [{ do: "applyDeployment", deployment: desired, uid, reason, sentence: `Because ${change}.` }] };
}

/**
 * What makes the live Deployment different, or `undefined`. The hash says whether we applied this very thing; the
 * generation, that nobody changed the spec since. Only where this process has not seen both, as after a restart, is the
 * spec compared field by field.
 */
function changeOf(
  desired: DesiredDeployment,
  { object, appliedGeneration }: Extract<DeploymentObserved, { is: "ours" }>,
): string | undefined {
  const hash = desired.metadata.annotations[APPLIED_HASH];
  if (object.metadata.annotations?.[APPLIED_HASH] !== hash) return "the spec changed";
  const { labels, annotations, ownerReferences } = desired.metadata;
  const metadata = firstDifference({ labels, annotations, ownerReferences }, object.metadata, "metadata");
  if (metadata !== undefined) return `somebody changed ${metadata} of the Deployment`;
  if (appliedGeneration !== undefined && appliedGeneration === object.metadata.generation) return undefined;
  const spec = firstDifference(desired.spec, object.spec, "spec");
  return spec === undefined ? undefined : `somebody changed ${spec} of the Deployment`;
}

function withoutWorkers(deployment: DeploymentObserved): Finding {
  if (deployment.is === "unknown") return waitFor("DeploymentUnknown", deployment.sentence, UNKNOWN_LOOK_MS);
  if (deployment.is !== "ours" || deployment.object.metadata.deletionTimestamp !== undefined) return {};
  const { namespace = "", name, uid, resourceVersion } = deployment.object.metadata;
  const sentence = "The JobQueue has no spec.workers any more.";
  return {
    actions: [{ do: "deleteDeployment", namespace, name, uid, resourceVersion, reason: "WorkersRemoved", sentence }],
  };
}

const problem = (reason: string, sentence: string, needsPerson: boolean): Problem => ({
  reason,
  sentence,
  ready: "False",
  needsPerson,
});

const waitFor = (reason: string, sentence: string, ms: number): Finding => ({
  actions: [{ do: "wait", ms, reason, sentence }],
});

function foreign(name: string, owner: string): Finding {
  const sentence = `The Deployment ${name} belongs to ${owner} and is never adopted; delete it, or use a JobQueue of another name.`;
  return {
    problem: problem("DeploymentConflict", sentence, true),
    actions: [{ do: "wait", ms: FOREIGN_LOOK_MS, reason: "DeploymentConflict", sentence }],
  };
}

/**
 * What must hold before a hung worker is replaced. Each gate is one question with one answer; all must be open, and the first
 * that is closed is the one people are told (condition RestartsSuspended). Pure.
 */
import { ANNOTATIONS } from "@jobqueue/crds";
import type { RestartSeen } from "../../job-store/store-view.ts";
import type { Observed, StoreObserved } from "../observed.ts";
import { steadyForMs } from "./ages.ts";
import type { Closed } from "./closed.ts";
import { backoffMsLeft, budgetOf, isCrashLoop, spentOf } from "./governor.ts";
import { restartsAreSuspended } from "./request.ts";
import { stormOf } from "./storm.ts";
import { isHung, type Judged } from "./verdict.ts";

/** One worker that could be replaced, and all that speaks for or against it. */
export interface Case {
  readonly queue: NonNullable<Observed["queue"]>;
  readonly health: NonNullable<NonNullable<Observed["queue"]>["spec"]["workers"]>["health"];
  readonly store: Extract<StoreObserved, { is: "ready" }>;
  readonly deployment: Observed["deployment"];
  readonly watchesCurrent: boolean;
  readonly stormAt: number | undefined;
  /** All pods of the pool. */
  readonly judged: readonly Judged[];
  /** The one in question; the gates of the pool are asked also without one. */
  readonly hung: Judged | undefined;
}

type Gate = (about: Case) => Closed | undefined;

/** A person said so. */
const suspended: Gate = ({ queue }) =>
  restartsAreSuspended(queue)
    ? {
        reason: "SuspendedByAnnotation",
        sentence: `The annotation ${ANNOTATIONS.restarts.name} is "suspended": remove it to let hung workers be replaced.`,
      }
    : undefined;

/** After too many fell silent at once, everything must be well for a while. */
const storm: Gate = ({ judged, store, health, stormAt }) => {
  const now = stormOf(judged, store.fleet, health);
  // What an outage of the store leaves behind looks like a storm, and is waited for as an outage.
  if (now && steadyForMs(store.canary) >= health.heartbeatTimeoutSeconds * 1000) return now;
  if (stormAt === undefined) return undefined;
  const waitMs = stormAt + health.stormCooldownSeconds * 1000 - store.canary.at;
  if (waitMs <= 0) return undefined;
  const sentence = `Too many workers were hung at once: restarts resume when all has been well for ${health.stormCooldownSeconds} s (spec.workers.health.stormCooldownSeconds).`;
  return { reason: "Cooldown", sentence, waitMs };
};

/** The spec says to tell only. */
const mode: Gate = ({ health }) =>
  health.mode === "Restart"
    ? undefined
    : {
        reason: "ReportOnly",
        sentence: `spec.workers.health.mode is ${health.mode}: delete the pod by hand, or set mode to Restart.`,
      };

/**
 * The store was writable, as this leader's canary shows, and by the same credentials, for long enough for every healthy worker
 * to have said so.
 */
const storeSteady: Gate = ({ store, health }) => {
  const waitMs = health.heartbeatTimeoutSeconds * 1000 - steadyForMs(store.canary);
  if (waitMs <= 0) return undefined;
  const sentence =
    "The store was out, its credentials changed, which takes two minutes to reach all workers, or this operator has just begun to lead: workers are judged once it has been reachable for heartbeatTimeoutSeconds.";
  return { reason: "StoreOutage", sentence, waitMs };
};

/** What is known of pods is how they are. */
const apiServer: Gate = ({ watchesCurrent }) =>
  watchesCurrent
    ? undefined
    : {
        reason: "ApiServerDegraded",
        sentence: "The API server does not answer as it should, so what is seen of pods may be old.",
        waitMs: 5_000,
      };

/** A roll-out replaces pods already, and so does the garbage collector where their Deployment is gone. */
const rollout: Gate = ({ deployment }) => {
  if (deployment.is === "absent") {
    const sentence =
      "The Deployment of the workers is still to be made, and pods of an earlier one leave by themselves.";
    return { reason: "RolloutInProgress", sentence };
  }
  if (deployment.is !== "ours") return undefined;
  const { metadata, spec, status } = deployment.object;
  const { replicas = 0, updatedReplicas = 0, observedGeneration = 0 } = status ?? {};
  const rolling =
    observedGeneration < (metadata.generation ?? 0) ||
    updatedReplicas < (spec?.replicas ?? 0) ||
    replicas > updatedReplicas;
  if (!rolling) return undefined;
  const sentence = "The workers are being rolled out, which replaces them anyway.";
  return { reason: "RolloutInProgress", sentence };
};

/** What its node or the kubelet deals with already is left to them; a pod that does not run is not hung. */
const nodeWell: Gate = ({ hung }) => {
  if (!hung) return undefined;
  const { pod } = hung;
  if (pod.trouble?.reason === "NodeUnreachable") {
    const sentence = `Nobody is restarted for this: ${pod.trouble.sentence}; its jobs are handed on by their lease.`;
    return { reason: "NodeUnreachable", sentence };
  }
  if (!pod.trouble && pod.running) return undefined;
  const why = pod.trouble?.sentence ?? `pod ${pod.name} does not run`;
  return { reason: "LeftToKubernetes", sentence: `Its node is at it: ${why}.` };
};

/** What any holder of the worker role could have written needs a second witness: the node's own probes. */
const confirmed: Gate = ({ hung }) => {
  if (!hung || hung.verdict === "lapsed" || hung.verdict === "blocked" || !hung.pod.ready) return undefined;
  const sentence = `Pod ${hung.pod.name} answers its readiness probe, so its own word in the store is not enough.`;
  return { reason: "NotConfirmed", sentence };
};

/** A pool of one has no other worker to compare with. */
const evidence: Gate = ({ hung, judged, store, health }) => {
  if (!hung || judged.length !== 1) return undefined;
  const others = store.fleet.beating.size - (hung.worker && store.fleet.beating.has(hung.worker.id) ? 1 : 0);
  if (others > 0) return undefined;
  const waitMs = 2 * health.heartbeatTimeoutSeconds * 1000 - steadyForMs(store.canary);
  if (waitMs <= 0) return undefined;
  const sentence =
    "No other worker of the store is there to compare with: the only one is replaced once the store has been reachable for twice heartbeatTimeoutSeconds.";
  return { reason: "NoIndependentEvidence", sentence, waitMs };
};

/** Restarting does not help a template that hangs every time. */
const crashLoop: Gate = ({ hung, judged, store }) => {
  if (!hung || !isCrashLoop(store.restarts, hung.pod.templateHash, judged, store.canary.at)) return undefined;
  const sentence =
    "Five workers of this template in a row were replaced without having finished a job: change the template, or ask for a restart with the annotation jobqueue.dev/restart-requested.";
  return { reason: "CrashLoop", sentence };
};

/** Each restart of one template in a row waits longer. */
const backoff: Gate = ({ hung, store }) => {
  if (!hung) return undefined;
  const waitMs = backoffMsLeft(store.restarts, hung.pod.templateHash, store.canary.at);
  if (waitMs === 0) return undefined;
  const sentence =
    "Workers of this template were replaced shortly before: the next one waits longer each time (1 to 30 minutes).";
  return { reason: "Backoff", sentence, waitMs };
};

/** What may be replaced at a time, and in ten minutes. */
const budget: Gate = ({ hung, health, judged, store }) => {
  if (!hung) return undefined;
  const spent = spentOf(
    budgetOf(health, judged.length),
    store.restarts,
    missingOf(judged, store.restarts),
    store.canary.at,
  );
  if (!spent) return undefined;
  const { what, waitMs } = spent;
  return { reason: "BudgetSpent", sentence: `The budget is spent: ${what}.`, ...(waitMs !== undefined && { waitMs }) };
};

/** Pods of the pool that are not ready for another reason than being hung: they count as being replaced (N6). */
function missingOf(judged: readonly Judged[], restarts: readonly RestartSeen[]): number {
  const open = new Set(restarts.filter(({ isOpen }) => isOpen).map(({ podUid }) => podUid));
  return judged.filter(({ pod, verdict }) => !pod.ready && !isHung(verdict) && !open.has(pod.uid)).length;
}

/** By name, in the order in which they are asked. */
const GATES = {
  suspended,
  mode,
  storeSteady,
  apiServer,
  storm,
  rollout,
  nodeWell,
  confirmed,
  evidence,
  crashLoop,
  backoff,
  budget,
} satisfies Readonly<Record<string, Gate>>;

/** The first gate that is closed. */
export function closedGate(about: Case): Closed | undefined {
  for (const gate of Object.values(GATES)) {
    const closed = gate(about);
    if (closed) return closed;
  }
  return undefined;
}

/** What suspends restarts whether or not a worker is hung now. */
export function suspendedPool(about: Case): Closed | undefined {
  return suspended(about) ?? storm(about);
}

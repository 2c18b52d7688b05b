/** What the status of a JobQueue says about the health of its workers: two conditions, a number and the last restart. */
import type { JobQueueStatus } from "@jobqueue/crds";
import { timestamp, type Verdict } from "../../conditions.ts";
import { cut, STATUS_BOUNDS } from "../../status-bounds.ts";
import type { RestartSeen } from "../../job-store/store-view.ts";
import { healthOf, type Health } from "../health/judge.ts";
import { isCarriedOut, requestOf } from "../health/request.ts";
import { wordsOf } from "../health/verdict.ts";
import type { Observed } from "../observed.ts";

type HealthVerdict = Extract<Verdict<"JobQueue">, { type: "Healthy" | "RestartsSuspended" }>;

/** Workers that are hung, or being replaced because they were; absent while nothing can be said. */
export function hungWorkers(observed: Observed, now: number): number | undefined {
  const health = healthOf(observed, now);
  return health && hungPods(health).size;
}

function hungPods({ hung, open, judged }: Health): Set<string> {
  const there = new Set(judged.map(({ pod }) => pod.uid));
  const replaced = open.filter(({ podUid, asked }) => !asked && there.has(podUid)).map(({ podUid }) => podUid);
  return new Set([...hung.map(({ pod }) => pod.uid), ...replaced]);
}

/** The newest restart whose pod was removed. */
export function restartShown(
  { store }: Observed,
  before: JobQueueStatus | undefined,
): Pick<JobQueueStatus, "lastRestart"> {
  const last =
    store.is === "ready"
      ? store.restarts.findLast(({ state }) => state === "evicted" || state === "closed")
      : undefined;
  if (last) {
    const reason = cut(last.reason, STATUS_BOUNDS.restartReason);
    return { lastRestart: { time: timestamp(last.openedAt), pod: last.pod, reason } };
  }
  return before?.lastRestart ? { lastRestart: before.lastRestart } : {};
}

/** The request for a restart that an intent was written for. */
export function restartHandled({ queue, store }: Observed): { readonly restart?: string } {
  const request = queue && requestOf(queue);
  const done = request !== undefined && store.is === "ready" && isCarriedOut(store.restarts, request);
  return done ? { restart: request } : {};
}

/** The conditions Healthy and, while restarts are held back, RestartsSuspended. */
export function healthVerdicts(observed: Observed, now: number, forbidden?: string): readonly HealthVerdict[] {
  const { queue, store, pods } = observed;
  if (!queue?.spec.workers) return [];
  const type = "Healthy";
  if (queue.spec.workers.health.mode === "Disabled") {
    return [{ type, status: "Unknown", reason: "NotLooked", message: "spec.workers.health.mode is Disabled." }];
  }
  if (store.is !== "ready") {
    const message = "The store does not say how the workers are; none is restarted meanwhile.";
    return [{ type, status: "Unknown", reason: "StoreUnreachable", message }];
  }
  const health = pods === "unknown" ? undefined : healthOf(observed, now);
  if (!health) return [{ type, status: "Unknown", reason: "NotLooked", message: "The pods have not been listed yet." }];
  return [healthy(health, observed), ...suspended(health, forbidden)];
}

function healthy(health: Health, { deployment }: Observed): HealthVerdict {
  const type = "Healthy";
  const bad = hungPods(health);
  if (bad.size === 0) {
    return { type, status: "True", reason: "AllWorkersHealthy", message: "No worker is hung." };
  }
  const crash = health.closed?.reason === "CrashLoop";
  // Not the pods: while one is replaced there is one too many of them.
  const wanted = deployment.is === "ours" ? (deployment.object.spec?.replicas ?? 0) : health.judged.length;
  const message = `${bad.size} of ${Math.max(bad.size, wanted)} workers ${bad.size === 1 ? "is" : "are"} hung: ${whatIs(health, bad)}`;
  return { type, status: "False", reason: crash ? "CrashLoop" : "WorkersHung", message };
}

/** What is the matter with one of them, and what becomes of it. */
function whatIs({ hung: [first], open, next, closed }: Health, bad: ReadonlySet<string>): string {
  const replaced = open.find(({ podUid }) => bad.has(podUid));
  if (replaced) return stepOf(replaced);
  if (!first) return "";
  const what = `the worker of pod ${first.pod.name} ${stable(wordsOf(first))}.`;
  if (next?.pod.uid === first.pod.uid) return `${what} It is replaced.`;
  return closed ? `${what} The condition RestartsSuspended says why it is not replaced now.` : what;
}

/** How far a restart has come. */
function stepOf({ pod, reason, state, asked }: RestartSeen): string {
  const why = asked ? "as somebody asked" : `because it was hung (${reason})`;
  const what = `the worker of pod ${pod} is being replaced, ${why}`;
  if (state === "evicted") {
    return `${what}. Its jobs were handed on and the pod is being removed: its node has not confirmed yet that it is gone.`;
  }
  return state === "open" ? `${what}.` : `${what}. Its lease was taken away, so that it changes nothing any more.`;
}

/** Without the seconds: a message that counts would be a write every time. */
const stable = (words: string): string => words.replace(/ for \d+ s\b/, "");

function suspended(health: Health, forbidden: string | undefined): readonly HealthVerdict[] {
  const type = "RestartsSuspended";
  if (forbidden !== undefined) {
    const message = `The worker is fenced and its jobs were handed on, but the API server forbids to remove its pod: ${forbidden}`;
    return [{ type, status: "True", reason: "EvictionForbidden", message }];
  }
  const refused = health.open.find(({ state, refusedMs }) => state === "recovered" && refusedMs !== undefined);
  if (refused) {
    const message = `A PodDisruptionBudget refuses to evict pod ${refused.pod}; its worker is fenced and its jobs were handed on. Enlarge the budget, or wait for spec.workers.health.evictionTimeoutSeconds, after which the pod is deleted.`;
    return [{ type, status: "True", reason: "DisruptionBudgetRefuses", message }];
  }
  if (!health.closed) return [];
  const { reason, sentence } = health.closed;
  return [{ type, status: "True", reason, message: sentence }];
}

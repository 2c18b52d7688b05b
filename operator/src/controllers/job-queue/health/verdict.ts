/**
 * What is to be thought of each pod of a pool, from what its worker wrote into the store and what the API server says of the
 * pod. Pure. *Unknown is not hung*: a pod whose worker has no row, a row whose pod is not seen, a lease that lapsed only a
 * moment ago are unknown, and nothing is ever done to what is unknown.
 */
import type { JobQueueHealth } from "@jobqueue/crds";
import type { CanarySeen } from "../../job-store/canary.ts";
import type { WorkerSeen } from "../../job-store/store-view.ts";
import type { PodObserved } from "../observed.ts";
import { knownAgeMs } from "./ages.ts";

/** Verdicts by which a worker is hung, the worst first; the words are those of the store. */
export const HUNG_VERDICTS = ["blocked", "lapsed", "all-slots-stuck", "stalled"] as const;

/** A verdict by which a worker is hung. */
export type HungVerdict = (typeof HUNG_VERDICTS)[number];

/** What is to be thought of a worker. */
export type Verdict = HungVerdict | "healthy" | "draining" | "starting" | "gone" | "unknown";

/** A pod of the pool and what is thought of it. */
export interface Judged {
  readonly pod: PodObserved;
  /** Absent when the store knows no worker of the pod. */
  readonly worker?: WorkerSeen;
  readonly verdict: Verdict;
  /** Its lease is not in force, whether or not that makes it hung: what counts when many fall silent together. */
  readonly lapsed: boolean;
  /** How long it has been silent, of the time that counts, milliseconds. */
  readonly silentMs: number;
}

/** What verdicts are made from beside pod and worker. */
export interface Circumstances {
  readonly health: JobQueueHealth;
  readonly canary: CanarySeen;
  /** A worker with a free slot should be claiming. */
  readonly workWaits: boolean;
  /** Wall clock of the operator, milliseconds: only for pods that never wrote into the store. */
  readonly now: number;
}

/** Judges every pod of a pool; `unknown` pods leave nothing to judge. */
export function judgePods(
  pods: readonly PodObserved[] | "unknown",
  workers: readonly WorkerSeen[],
  circumstances: Circumstances,
): readonly Judged[] {
  if (pods === "unknown") return [];
  return pods.map((pod) =>
    judgePod(
      pod,
      workers.filter(({ podUid }) => podUid === pod.uid),
      circumstances,
    ),
  );
}

/** Whether a verdict means hung. */
export function isHung(verdict: Verdict): verdict is HungVerdict {
  return (HUNG_VERDICTS as readonly string[]).includes(verdict);
}

function judgePod(pod: PodObserved, workers: readonly WorkerSeen[], about: Circumstances): Judged {
  const plain = (verdict: Verdict): Judged => ({ pod, verdict, lapsed: false, silentMs: 0 });
  if (pod.over) return plain("gone");
  if (pod.leaving) return plain("draining");
  // A row from before the container was started again is about a process that is no more.
  const own = workers.filter(
    ({ progress }) => pod.startedAt === undefined || progress.heartbeatAt >= pod.startedAt - CLOCKS_MS,
  );
  if (own.length === 0) {
    const startedMs = about.now - (pod.startedAt ?? pod.createdAt);
    return plain(startedMs < about.health.startupGraceSeconds * 1000 ? "starting" : "unknown");
  }
  // Several containers may run workers: one that gets on vouches for its pod.
  return own
    .map((worker): Judged => {
      const silentMs = knownAgeMs(worker.progress.heartbeatAt, about.canary);
      return { pod, worker, silentMs, verdict: verdictOf(worker, silentMs, about), lapsed: !worker.alive };
    })
    .toSorted((a, b) => Number(isHung(a.verdict)) - Number(isHung(b.verdict)) || a.silentMs - b.silentMs)[0] as Judged;
}

/** How far the clocks of nodes and database may lie apart, milliseconds. */
const CLOCKS_MS = 5_000;

function verdictOf(
  { alive, drained, progress, ...worker }: WorkerSeen,
  silentMs: number,
  about: Circumstances,
): Verdict {
  const { health, canary, workWaits } = about;
  const timeoutMs = health.heartbeatTimeoutSeconds * 1000;
  if (progress.state === "gone" || progress.state === "fenced") return "gone";
  if (progress.state === "draining" || drained) return "draining";
  const startedMs = canary.at - progress.startedAt;
  if (startedMs < health.startupGraceSeconds * 1000) return "starting";
  if (!alive) {
    if (silentMs < timeoutMs || worker.silentMs < timeoutMs) return "unknown"; // it may be registering anew
    return progress.renewing ? "lapsed" : "blocked";
  }
  const { slots, slotsBusy, slotsStuck, lastClaimAgeMs, lastFinishAgeMs = startedMs } = progress;
  if (slots > 0 && slotsStuck >= slots && lastFinishAgeMs >= timeoutMs && startedMs >= timeoutMs)
    return "all-slots-stuck";
  if (workWaits && slotsBusy < slots && (lastClaimAgeMs ?? 0) >= timeoutMs) return "stalled";
  return "healthy";
}

/** In words, as the end of "the worker of pod x …". */
export function wordsOf({ verdict, silentMs, worker }: Judged): string {
  const seconds = (ms: number): string => `${Math.floor(ms / 1000)} s`;
  if (verdict === "lapsed") return `has written no heartbeat for ${seconds(silentMs)}`;
  if (verdict === "blocked") {
    return `has been standing still for ${seconds((worker?.progress.loopAgeMs ?? 0) + silentMs)}: its event loop is blocked`;
  }
  if (verdict === "stalled") {
    return `has claimed nothing for ${seconds(worker?.progress.lastClaimAgeMs ?? 0)}, with free slots and work waiting`;
  }
  return verdict === "all-slots-stuck" ? "has all its slots taken by handlers that do not end" : `is ${verdict}`;
}

/** The word for events, intents and metrics. */
export const HUNG_REASONS: Readonly<Record<HungVerdict, string>> = {
  lapsed: "HeartbeatLapsed",
  blocked: "LoopBlocked",
  stalled: "ClaimsStalled",
  "all-slots-stuck": "SlotsStuck",
};

/** The health of a pool: what is thought of each pod, and which one may be replaced now. Pure. */
import type { RestartSeen } from "../../job-store/store-view.ts";
import type { Observed } from "../observed.ts";
import type { Closed } from "./closed.ts";
import { steadyForMs } from "./ages.ts";
import { type Case, closedGate, suspendedPool } from "./gates.ts";
import { stormOf } from "./storm.ts";
import { HUNG_VERDICTS, isHung, type Judged, judgePods } from "./verdict.ts";

/** See the head of this file. */
export interface Health {
  readonly judged: readonly Judged[];
  /** Hung workers, the worst first; those that are being replaced too. */
  readonly hung: readonly Judged[];
  /** Restarts that are under way. */
  readonly open: readonly RestartSeen[];
  /** The worker to replace now. */
  readonly next: Judged | undefined;
  /** Why no (other) hung worker is replaced, or why none would be. */
  readonly closed: Closed | undefined;
}

/** The health of an observed pool; `undefined` when nothing can be said: no workers, not looked at, no store, no list of pods. */
export function healthOf(observed: Observed, now: number): Health | undefined {
  const known = judgedBefore.get(observed);
  if (known?.now === now) return known.health;
  const health = judge(observed, now);
  judgedBefore.set(observed, { now, health });
  return health;
}

/** Rule and status ask the same of one observation. */
const judgedBefore = new WeakMap<Observed, { readonly now: number; readonly health: Health | undefined }>();

function judge(observed: Observed, now: number): Health | undefined {
  const { queue, store, pods } = observed;
  const health = queue?.spec.workers?.health;
  if (!queue || !health || health.mode === "Disabled" || store.is !== "ready" || pods === "unknown") return undefined;
  const judged = judgePods(pods, store.workers, { health, canary: store.canary, workWaits: workWaits(store), now });
  const open = store.restarts.filter(({ isOpen }) => isOpen);
  const known = new Set(store.restarts.filter(isFinal).map(({ podUid }) => podUid));
  const hung = judged.filter(({ verdict }) => isHung(verdict)).toSorted(byUrgency);
  const about: Omit<Case, "hung"> = {
    queue,
    health,
    store,
    deployment: observed.deployment,
    watchesCurrent: observed.watchesCurrent,
    stormAt: observed.stormAt,
    judged,
  };
  let closed = suspendedPool({ ...about, hung: undefined });
  let next: Judged | undefined;
  if (!closed) {
    const candidates = hung.filter(({ pod }) => !known.has(pod.uid));
    for (const candidate of candidates) {
      const gate = closedGate({ ...about, hung: candidate });
      if (!gate) {
        next = candidate;
        break;
      }
      closed ??= gate;
    }
  }
  return { judged, hung, open, next, closed };
}

/** Whether so many are hung at once that it is not the workers; not while the store was out a moment ago. */
export function isStormy({ queue, store, pods }: Pick<Observed, "queue" | "store" | "pods">, now: number): boolean {
  const health = queue?.spec.workers?.health;
  if (!health || store.is !== "ready" || steadyForMs(store.canary) < health.heartbeatTimeoutSeconds * 1000)
    return false;
  const about = { health, canary: store.canary, workWaits: workWaits(store), now };
  return stormOf(judgePods(pods, store.workers, about), store.fleet, health) !== undefined;
}

/** Whether a worker with a free slot should be claiming: a job waits in a queue that it serves and that is not held. */
function workWaits({ served }: Extract<Observed["store"], { is: "ready" }>): boolean {
  return served.some(({ held, counts }) => !held && (counts?.pending ?? 0) > 0);
}

/** Whether a pod with this intent never gets another: all but those that were spared because their worker came back. */
function isFinal({ state, outcome }: Pick<RestartSeen, "state" | "outcome">): boolean {
  return state !== "abandoned" || outcome !== "recovered";
}

/** The worst verdict first, then who has been silent longest. */
function byUrgency(a: Judged, b: Judged): number {
  const rank = ({ verdict }: Judged): number => (HUNG_VERDICTS as readonly string[]).indexOf(verdict);
  return rank(a) - rank(b) || b.silentMs - a.silentMs || (a.pod.uid < b.pod.uid ? -1 : 1);
}

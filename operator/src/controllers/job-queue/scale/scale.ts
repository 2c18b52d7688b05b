/**
 * The size of a pool: how many workers are wanted (`target.ts`, `autoscale.ts`), and which step is next on the way there
 * (`idle-first.ts`). Pure but for `ScaleMemory`, in which it notes what the next look needs to know.
 */
import type { DeploymentObserved, PodObserved, StoreObserved } from "../observed.ts";
import type { StoredDeployment, StoredJobQueue } from "../../kubernetes-objects.ts";
import { poolOf } from "../desired/names.ts";
import type { AutoscaleMemory, Autoscaled } from "./autoscale.ts";
import { idleFirst, type IdleFirst } from "./idle-first.ts";
import { targetOf } from "./target.ts";

/** What was decided about the size of a pool. */
export interface ScaleDecision {
  /** How many workers are wanted in the end: the column DESIRED. */
  readonly wanted: number;
  /** The next step on the way, with what the Deployment should ask for now. */
  readonly step: IdleFirst;
  /** What autoscaling says; absent where it does not decide. */
  readonly autoscaled?: Autoscaled;
  /** When to look again, milliseconds from now; absent: when something changes. */
  readonly waitMs?: number;
}

/** What is remembered of each pool, for as long as this process leads. Losing it costs time, never a worker that is busy. */
export class ScaleMemory {
  readonly #autoscale = new Map<string, AutoscaleMemory>();
  readonly #shrinking = new Map<string, { readonly to: number; readonly since: number }>();

  /** What autoscaling remembers of a pool. */
  autoscaling(pool: string): AutoscaleMemory | undefined {
    return this.#autoscale.get(pool);
  }

  /** Notes what autoscaling will want to know; absent: nothing. */
  noteAutoscaling(pool: string, memory: AutoscaleMemory | undefined): void {
    if (memory) this.#autoscale.set(pool, memory);
    else this.#autoscale.delete(pool);
  }

  /** Since when exactly so few workers have been wanted, fewer than there are; `undefined` forgets it. */
  shrinkingSince(pool: string, to: number | undefined, now: number): number {
    const known = this.#shrinking.get(pool);
    if (to === undefined) this.#shrinking.delete(pool);
    else if (known?.to !== to) this.#shrinking.set(pool, { to, since: now });
    return this.#shrinking.get(pool)?.since ?? now;
  }

  /** The pool is gone. */
  forget(pool: string): void {
    this.#autoscale.delete(pool);
    this.#shrinking.delete(pool);
  }
}

/** Decides. `now` in milliseconds of the operator's wall clock. */
export function scaleOf(
  queue: StoredJobQueue,
  seen: {
    readonly store: StoreObserved;
    readonly deployment: DeploymentObserved;
    readonly pods: readonly PodObserved[] | "unknown";
  },
  memory: ScaleMemory,
  now: number,
): ScaleDecision {
  const { store, deployment, pods } = seen;
  const pool = poolOf(queue);
  const current = deployment.is === "ours" ? (deployment.object.spec?.replicas ?? 1) : undefined;
  const target = targetOf(queue, store, current, memory.autoscaling(pool), now);
  memory.noteAutoscaling(pool, target.autoscaled?.memory);
  const shrinks = current !== undefined && target.workers < current;
  const since = memory.shrinkingSince(pool, shrinks ? target.workers : undefined, now);
  const step = idleFirst({
    target: target.workers,
    current: current ?? target.workers,
    settled: deployment.is === "ours" && isSettled(deployment.object),
    pods,
    workers: store.is === "ready" ? store.workers : "unknown",
    graceMs: since + target.patienceMs - now,
  });
  const waits = [target.waitMs, step.waitMs].filter((ms) => ms !== undefined);
  return {
    wanted: target.workers,
    step,
    ...(target.autoscaled && { autoscaled: target.autoscaled }),
    ...(waits.length > 0 && { waitMs: Math.min(...waits) }),
  };
}

/** The Deployment controller has seen its spec, and all pods are of the newest template. */
function isSettled({ metadata, status, spec }: StoredDeployment): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0 } = status ?? {};
  return (
    observedGeneration >= (metadata.generation ?? 0) && updatedReplicas >= replicas && replicas <= (spec?.replicas ?? 1)
  );
}

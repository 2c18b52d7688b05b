/**
 * How many workers a pool should have in the end, and how long busy ones are waited for on the way to fewer.
 *
 * 1. `spec.state: Stopped` comes before everything. The hold comes first: workers go only when the store shows it in force,
 *    so that nothing starts while they go. Then they go together, once no job of the queue runs; at the latest when the hold
 *    is older than the drain time: each pod then still has that time to finish what it runs, and gives the rest back unspent.
 *    While the store does not say how things stand, as many stay as there are. A pool that also serves other queues stays:
 *    those were not stopped.
 * 2. `spec.workers.autoscaling`: what `autoscale.ts` wants. Busy workers are waited for as long as it takes.
 * 3. `spec.replicas`, whoever wrote it: a person, kubectl scale, an HPA or KEDA through /scale. A decrease waits for busy
 *    workers for the drain time, an increase never waits.
 */
import { SPEC_HOLD } from "../../spec-hold.ts";
import type { StoredJobQueue } from "../../kubernetes-objects.ts";
import type { StoreObserved } from "../observed.ts";
import { queueNameOf } from "../desired/names.ts";
import { autoscale, type Autoscaled, type AutoscaleMemory, type Backlog } from "./autoscale.ts";

/** A number of workers and what goes with it. */
export interface Target {
  readonly workers: number;
  /** How long busy workers are waited for, milliseconds, from when fewer were wanted. */
  readonly patienceMs: number;
  /** When to look again, milliseconds from now; absent: when something changes. */
  readonly waitMs?: number;
  /** What autoscaling says; absent where it does not decide. */
  readonly autoscaled?: Autoscaled;
}

/** The number. `present`: what the Deployment asks for now; absent: there is none. `now`: the operator's wall clock, milliseconds. */
export function targetOf(
  { metadata, spec }: StoredJobQueue,
  store: StoreObserved,
  present: number | undefined,
  memory: AutoscaleMemory | undefined,
  now: number,
): Target {
  const { replicas, state, workers } = spec;
  if (!workers) return { workers: replicas, patienceMs: 0 };
  const patienceMs = workers.drainTimeoutSeconds * 1000;
  const { autoscaling } = workers;
  if (state !== "Stopped" || (workers.alsoServes ?? []).length > 0) {
    if (!autoscaling) return { workers: replicas, patienceMs };
    const autoscaled = autoscale(autoscaling, backlogOf(store), present ?? autoscaling.minReplicas, memory, now);
    const { wanted, waitMs } = autoscaled;
    return { workers: wanted, patienceMs: Infinity, autoscaled, ...(waitMs !== undefined && { waitMs }) };
  }
  const there = present ?? 0;
  const staying = autoscaling ? there : Math.min(there, replicas);
  if (staying === 0 || store.is !== "ready") return { workers: staying, patienceMs };
  const name = queueNameOf({ metadata, spec } as StoredJobQueue);
  const held = store.holds.find((hold) => hold.queue === name && hold.name === SPEC_HOLD);
  if (!held) return { workers: staying, patienceMs };
  if ((store.counts?.running ?? 0) === 0) return { workers: 0, patienceMs: 0 }; // nothing runs and nothing can start
  const waitMs = Date.parse(held.since) + patienceMs - (now + store.clockAheadMs);
  return waitMs <= 0 ? { workers: 0, patienceMs: 0 } : { workers: staying, patienceMs, waitMs };
}

/** What the workers of the pool could run: pending jobs of its queues that are not held, and what runs. */
function backlogOf(store: StoreObserved): Backlog | undefined {
  if (store.is !== "ready") return undefined;
  let jobs = 0;
  let oldestPendingSeconds: number | undefined;
  for (const { held, counts } of store.served) {
    jobs += (counts?.running ?? 0) + (held ? 0 : (counts?.pending ?? 0));
    const age = held ? undefined : counts?.oldestPendingSeconds;
    if (age !== undefined) oldestPendingSeconds = Math.max(age, oldestPendingSeconds ?? 0);
  }
  return { jobs, oldestPendingSeconds };
}

/**
 * How many workers a pool should have now. `spec.replicas`, except where `spec.state` is `Stopped`:
 *
 * 1. The hold comes first. Workers go only when the store shows it in force, so that nothing starts while they go.
 * 2. Then they go together, once no job of the queue runs; at the latest when the hold is older than the drain time: each
 *    pod then still has that time to finish what it runs, and gives the rest back unspent.
 * 3. While the store does not say how things stand, as many stay as there are.
 * 4. A pool that also serves other queues stays: those were not stopped. Only its own queue is held.
 */
import type { JobQueue } from "@jobqueue/crds";
import { SPEC_HOLD } from "../../spec-hold.ts";
import type { DeploymentObserved, StoreObserved } from "../observed.ts";
import { queueNameOf } from "./names.ts";

/** A number of workers, and how long to wait until it may be another one; absent: until something happens. */
export interface WantedReplicas {
  readonly replicas: number;
  readonly waitMs?: number;
}

/** The number of workers. `now` in milliseconds of the operator's wall clock. */
export function wantedReplicas(
  queue: JobQueue,
  { store, deployment }: { readonly store: StoreObserved; readonly deployment: DeploymentObserved },
  now: number,
): WantedReplicas {
  const { replicas, state, workers } = queue.spec;
  if (state !== "Stopped" || !workers || (workers.alsoServes ?? []).length > 0) return { replicas };
  const there = deployment.is === "ours" ? (deployment.object.spec?.replicas ?? 0) : 0;
  const staying = Math.min(there, replicas);
  if (staying === 0 || store.is !== "ready") return { replicas: staying };
  const name = queueNameOf(queue);
  const held = store.holds.find((hold) => hold.queue === name && hold.name === SPEC_HOLD);
  if (!held) return { replicas: staying };
  if ((store.counts?.running ?? 0) === 0) return { replicas: 0 };
  const waitMs = Date.parse(held.since) + workers.drainTimeoutSeconds * 1000 - (now + store.clockAheadMs);
  return waitMs <= 0 ? { replicas: 0 } : { replicas: staying, waitMs };
}

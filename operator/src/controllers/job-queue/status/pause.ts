import type { JobQueueHold, JobQueueStatus } from "@jobqueue/crds";
import type { Verdict } from "../../conditions.ts";
import { holdsTold, oldestFirst } from "../../holds-told.ts";
import { holdOfSpec, SPEC_HOLD } from "../../spec-hold.ts";
import { cut, STATUS_BOUNDS } from "../../status-bounds.ts";
import type { HoldSeen } from "../../job-store/store-view.ts";
import { queueNameOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** The part of the status that says why a queue is paused. */
export type Pause = Pick<JobQueueStatus, "holds" | "holdsTotal" | "pausedBy">;

/** The holds in force, the oldest first, cut to what the CRD takes; nothing when there are none. */
export function pauseOf(holds: readonly HoldSeen[]): Pause {
  if (holds.length === 0) return {};
  const sorted = oldestFirst(holds);
  const names = [...new Set(sorted.map(shortNameOf))];
  return {
    holds: sorted.slice(0, STATUS_BOUNDS.holds).map(shown),
    ...(sorted.length > STATUS_BOUNDS.holds && { holdsTotal: sorted.length }),
    pausedBy: cut(names.slice(0, STATUS_BOUNDS.holds).join(","), STATUS_BOUNDS.pausedBy),
  };
}

/** A name for the column: holds of the whole store are told apart, because nothing said about the queue ends them. */
const shortNameOf = ({ queue, name }: HoldSeen): string => (queue === "*" ? `*/${name}` : name);

function shown(hold: HoldSeen): JobQueueHold {
  return {
    queue: cut(hold.queue, STATUS_BOUNDS.holdQueue),
    name: cut(hold.name, STATUS_BOUNDS.holdName),
    source: cut(hold.source, STATUS_BOUNDS.holdSource),
    actor: cut(hold.actor, STATUS_BOUNDS.holdActor),
    reason: cut(hold.reason, STATUS_BOUNDS.holdReason),
    since: hold.since,
    ...(hold.until !== undefined && { until: hold.until }),
  };
}

/** The condition Paused. */
export function pausedVerdict({ queue, store }: Observed): Extract<Verdict<"JobQueue">, { type: "Paused" }> {
  const type = "Paused";
  if (!queue || store.is !== "ready") {
    const message = "The store cannot be asked. Holds that are in force there stay in force.";
    return { type, status: "Unknown", reason: "StoreUnreachable", message };
  }
  const { holds } = store;
  if (holds.length === 0) {
    const until = holdOfSpec(queue.spec)?.until;
    if (until === undefined) return { type, status: "False", reason: "Active", message: "No hold is in force." };
    const message = `spec.pausedUntil, ${until}, has passed: no hold is in force.`;
    return { type, status: "False", reason: "PauseExpired", message };
  }
  const bySpec = holds.some((hold) => hold.name === SPEC_HOLD && hold.queue === queueNameOf(queue));
  const reason = !bySpec ? "PausedByHold" : holds.length === 1 ? "PausedBySpec" : "PausedBySpecAndHold";
  return { type, status: "True", reason, message: `Held by ${holdsTold(holds, queueNameOf(queue))}.` };
}

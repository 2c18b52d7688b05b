/**
 * Many that fall silent together point at what they share, not at themselves: the network, the node, the store, a handler that
 * was just rolled out. Then nothing is restarted, and not for a while after.
 */
import type { JobQueueHealth } from "@jobqueue/crds";
import type { Fleet } from "../../job-store/snapshot-groups.ts";
import { podsOf } from "../pods-or-share.ts";
import type { Closed } from "./closed.ts";
import { isHung, type Judged } from "./verdict.ts";

/** Share of all workers of a store that may be silent, and the number below which a share says nothing. */
const FLEET = { share: 0.2, least: 3 } as const;

/** The storm there is, if there is one. */
export function stormOf(judged: readonly Judged[], fleet: Fleet, health: JobQueueHealth): Closed | undefined {
  return fleetUnhealthy(fleet) ?? tooManyUnhealthy(judged, health);
}

function fleetUnhealthy({ workers, lapsed }: Fleet): Closed | undefined {
  if (lapsed < FLEET.least || lapsed <= workers * FLEET.share) return undefined;
  return {
    reason: "FleetUnhealthy",
    sentence:
      "More than a fifth of all workers of the store have lost their lease at once, so it is not this pool: see the network and the database.",
  };
}

function tooManyUnhealthy(judged: readonly Judged[], { maxUnhealthy }: JobQueueHealth): Closed | undefined {
  const there = judged.filter(({ verdict }) => verdict !== "gone" && verdict !== "draining");
  const bad = there.filter(({ verdict, lapsed }) => isHung(verdict) || lapsed).length;
  // At least one: a worker alone is no crowd, and a pool of one is for the rule about evidence.
  if (bad <= podsOf(maxUnhealthy, there.length, "down")) return undefined;
  return {
    reason: "TooManyUnhealthy",
    sentence: `More workers are hung at once than spec.workers.health.maxUnhealthy (${maxUnhealthy}) allows, so it is not the workers. Ask for restarts one by one with the annotation jobqueue.dev/restart-requested, or delete pods by hand.`,
  };
}

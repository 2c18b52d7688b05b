import type { Finding } from "../../../plan/plan.ts";
import { hasEnded, holdOfSpec, isHoldOf, SPEC_HOLD, specActor } from "../../spec-hold.ts";
import type { ObservedStore } from "../observed.ts";

/** Stands for every queue of a store, also those made later. */
const EVERY_QUEUE = "*";

/**
 * `spec.state` of the JobStore and the hold `spec` on `*` say the same; see `../../spec-hold.ts`. Other than a queue, a
 * schema may have several JobStores (two clusters, two namespaces), and none is the older: so a hold that another one set
 * is enough for this one's pause, and is not this one's to end.
 */
export function hold({ key, jobStore, monitor }: ObservedStore, now: number): Finding {
  if (!jobStore || monitor?.view.is !== "up" || !monitor.view.snapshot) return {};
  const { holds, clockAheadMs } = monitor.view.snapshot;
  const wanted = holdOfSpec(jobStore.spec);
  const current = holds.find((one) => one.queue === EVERY_QUEUE && one.name === SPEC_HOLD);
  if (current && !isHoldOf(current, key)) return {};
  const actor = specActor(key, jobStore);
  const common = { store: key, queue: EVERY_QUEUE, hold: SPEC_HOLD, actor };

  const inForce =
    wanted && current?.actor === actor && current.reason === wanted.because && current.until === wanted.until;
  if (inForce) return {};
  if (!wanted || hasEnded(wanted.until, now + clockAheadMs)) {
    if (!current) return {};
    const sentence = `${wanted ? "spec.pausedUntil" : "spec.state"} of JobStore ${key} ${wanted ? "has passed" : "is Active"}.`;
    const reason = wanted ? "PauseExpired" : "ActiveBySpec";
    return { actions: [{ do: "releaseHold", ...common, unlessExists: undefined, reason, sentence }] };
  }
  const sentence = current
    ? `The hold ${SPEC_HOLD} on the whole store is not what JobStore ${key} says.`
    : `spec.state of JobStore ${key} is ${jobStore.spec.state}.`;
  return {
    actions: [
      { do: "setHold", ...common, ...wanted, until: wanted.until, source: SPEC_HOLD, reason: "PausedBySpec", sentence },
    ],
  };
}

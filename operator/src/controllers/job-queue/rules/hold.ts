import type { Finding } from "../../../plan/plan.ts";
import { hasEnded, holdOfSpec, SPEC_HOLD, specActor } from "../../spec-hold.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** `spec.state` and the hold `spec` say the same. The protocol is in `../../spec-hold.ts`. */
export function hold({ queue: object, store: seen }: Observed, now: number): Finding {
  if (!object || seen.is !== "ready") return {};
  const store = storeKeyOf(object);
  const queue = queueNameOf(object);
  const actor = specActor(poolOf(object), seen.jobStore);
  const wanted = holdOfSpec(object.spec);
  const current = seen.holds.find((one) => one.queue === queue && one.name === SPEC_HOLD);

  const inForce =
    wanted !== undefined &&
    current?.source === SPEC_HOLD &&
    current.actor === actor &&
    current.reason === wanted.because &&
    current.until === wanted.until;
  if (inForce) return {};
  if (wanted === undefined || hasEnded(wanted.until, now + seen.clockAheadMs)) {
    if (!current) return {};
    const why = wanted ? "spec.pausedUntil has passed" : "spec.state is Active";
    return {
      actions: [
        {
          do: "releaseHold",
          store,
          queue,
          hold: SPEC_HOLD,
          actor,
          unlessExists: undefined,
          reason: wanted ? "PauseExpired" : "ActiveBySpec",
          sentence: `${why.replace(" ", ` of JobQueue ${poolOf(object)} `)}.`,
        },
      ],
    };
  }
  const sentence = current
    ? `The hold ${SPEC_HOLD} in the store is not what JobQueue ${poolOf(object)} says.`
    : `spec.state of JobQueue ${poolOf(object)} is ${object.spec.state}.`;
  return {
    actions: [
      {
        do: "setHold",
        store,
        queue,
        hold: SPEC_HOLD,
        because: wanted.because,
        until: wanted.until,
        actor,
        source: SPEC_HOLD,
        reason: "PausedBySpec",
        sentence,
      },
    ],
  };
}

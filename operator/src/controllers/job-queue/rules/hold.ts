import type { Finding } from "../../../plan/action.ts";
import { SPEC_HOLD, specActor } from "../../spec-hold.ts";
import { poolOf, queueNameOf, storeKeyOf } from "../desired/names.ts";
import type { Observed } from "../observed.ts";

/** The store wants a reason for every hold; this one stands where the spec gives none. */
const NO_REASON = "spec.state is Paused";

/** `spec.state` and the hold `spec` say the same. The protocol is in `../../spec-hold.ts`. */
export function hold({ queue: object, store: seen }: Observed): Finding {
  if (!object || seen.is !== "ready") return {};
  const store = storeKeyOf(object);
  const queue = queueNameOf(object);
  const actor = specActor(poolOf(object), seen.jobStore);
  const because = object.spec.pauseReason?.trim() ? object.spec.pauseReason : NO_REASON;
  const current = seen.holds.find((one) => one.queue === queue && one.name === SPEC_HOLD);

  if (object.spec.state === "Active") {
    if (!current) return {};
    const sentence = `spec.state of JobQueue ${poolOf(object)} is Active.`;
    return {
      actions: [
        {
          do: "releaseHold",
          store,
          queue,
          hold: SPEC_HOLD,
          actor,
          unlessExists: undefined,
          reason: "ActiveBySpec",
          sentence,
        },
      ],
    };
  }
  const inForce =
    current?.source === SPEC_HOLD &&
    current.actor === actor &&
    current.reason === because &&
    current.until === undefined;
  if (inForce) return {};
  const sentence = current
    ? `The hold ${SPEC_HOLD} in the store is not what JobQueue ${poolOf(object)} says.`
    : `spec.state of JobQueue ${poolOf(object)} is Paused.`;
  return {
    actions: [
      {
        do: "setHold",
        store,
        queue,
        hold: SPEC_HOLD,
        because,
        actor,
        source: SPEC_HOLD,
        reason: "PausedBySpec",
        sentence,
      },
    ],
  };
}

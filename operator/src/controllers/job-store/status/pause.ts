import type { Verdict } from "../../conditions.ts";
import { holdsTold } from "../../holds-told.ts";
import { holdOfSpec, SPEC_HOLD, type PauseSpec } from "../../spec-hold.ts";
import type { StoreView } from "../store-view.ts";

/** The condition Paused of a JobStore: is every queue held? */
export function storePausedVerdict(view: StoreView, spec: PauseSpec): Extract<Verdict<"JobStore">, { type: "Paused" }> {
  const type = "Paused";
  if (view.is !== "up" || !view.snapshot) {
    const message = "The store cannot be asked. Holds that are in force there stay in force.";
    return { type, status: "Unknown", reason: "StoreUnreachable", message };
  }
  const holds = view.snapshot.holds.filter(({ queue }) => queue === "*");
  if (holds.length === 0) {
    const until = holdOfSpec(spec)?.until;
    if (until !== undefined) {
      const message = `spec.pausedUntil, ${until}, has passed: no hold is on the whole store.`;
      return { type, status: "False", reason: "PauseExpired", message };
    }
    return { type, status: "False", reason: "Active", message: "No hold is on the whole store." };
  }
  const bySpec = holds.some(({ name }) => name === SPEC_HOLD);
  const reason = !bySpec ? "PausedByHold" : holds.length === 1 ? "PausedBySpec" : "PausedBySpecAndHold";
  return { type, status: "True", reason, message: `Every queue is held by ${holdsTold(holds, "*")}.` };
}

import type { Verdict } from "../../conditions.ts";
import type { StoreView } from "../store-view.ts";

/** The condition Vacuumed of a JobStore: does Postgres clean up behind the queues? The worst first; the message has all of it. */
export function vacuumedVerdict(view: StoreView): Extract<Verdict<"JobStore">, { type: "Vacuumed" }> {
  const type = "Vacuumed";
  if (view.is !== "up" || !view.snapshot) {
    return { type, status: "Unknown", reason: "StoreUnreachable", message: "Postgres cannot be asked." };
  }
  const { vacuumTroubles, oldSnapshots } = view.snapshot;
  const told = [
    ...vacuumTroubles.map(({ reason, says, remedy }) => ({ reason, message: `${says} ${remedy}` })),
    ...(oldSnapshots.length === 0 ? [] : [{ reason: "OldSnapshots", message: OLD_SNAPSHOTS } as const]),
  ];
  const [worst] = told;
  if (!worst) {
    return { type, status: "True", reason: "NothingInTheWay", message: "Postgres removes dead rows by itself." };
  }
  return { type, status: "False", reason: worst.reason, message: told.map(({ message }) => message).join("\n") };
}

const OLD_SNAPSHOTS =
  "Dead rows cannot be removed while somebody holds an old snapshot, and claims slow down: status.oldSnapshots says who. End it, or wait for it.";

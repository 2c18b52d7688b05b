import type { Assertion, Violation } from "./assertion.ts";
import { nothingLost } from "./assertions/h01-nothing-lost.ts";
import { nothingUnexpected } from "./assertions/h02-nothing-unexpected.ts";
import { unknownIsNoneOrOne } from "./assertions/h03-unknown-is-none-or-one.ts";
import { oneLeaseAtATime } from "./assertions/h04-one-lease-at-a-time.ts";
import { oneEndPerGeneration } from "./assertions/h05-one-end-per-generation.ts";
import { staleWritesRefused } from "./assertions/h06-stale-writes-refused.ts";
import { countersReconcile } from "./assertions/h07-counters-reconcile.ts";
import { notBeforeItsTime } from "./assertions/h08-not-before-its-time.ts";
import { holdsHold } from "./assertions/h09-holds-hold.ts";
import { claimOrder } from "./assertions/h10-claim-order.ts";
import { uniqueKeys } from "./assertions/h11-unique-keys.ts";
import { limitsHold } from "./assertions/h12-limits.ts";
import { ticksFireOnce } from "./assertions/h13-ticks.ts";
import { restartsWithinBudget } from "./assertions/h14-restarts.ts";
import { everyChangeAudited } from "./assertions/h15-audit.ts";
import { countsAreTrue } from "./assertions/h16-counts.ts";
import { quietAtRest } from "./assertions/h17-quiet.ts";
import { onlyTheLeaderWrites } from "./assertions/h18-one-leader.ts";
import type { History } from "./history.ts";

/** Every assertion, in the order of their numbers. */
export const ASSERTIONS: readonly Assertion[] = [
  nothingLost,
  nothingUnexpected,
  unknownIsNoneOrOne,
  oneLeaseAtATime,
  oneEndPerGeneration,
  staleWritesRefused,
  countersReconcile,
  notBeforeItsTime,
  holdsHold,
  claimOrder,
  uniqueKeys,
  limitsHold,
  ticksFireOnce,
  restartsWithinBudget,
  everyChangeAudited,
  countsAreTrue,
  quietAtRest,
  onlyTheLeaderWrites,
];

/** A violation and the assertion it is of. */
export interface Finding extends Violation {
  readonly assertion: Assertion;
}

/** Everything in a history that must not have happened; empty when it is right. */
export function checkHistory(history: History): Finding[] {
  return ASSERTIONS.flatMap((assertion) => assertion.check(history).map((violation) => ({ assertion, ...violation })));
}

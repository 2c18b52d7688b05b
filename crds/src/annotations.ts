import { GROUP, type Kind } from "./names.ts";

/** An annotation that means something to the operator. */
export interface AnnotationMeaning {
  readonly name: string;
  readonly kind: Kind;
  /** What may be written. */
  readonly value: string;
  readonly meaning: string;
}

/**
 * Every annotation that people write for the operator. Closed: no other one means anything to it. The reference
 * (docs/reference/conditions.md) is made from it.
 *
 * A request is carried out once for each new value; the last value that was carried out is in `status.handledRequests`, as Flux
 * does with its reconcile requests: whoever asked knows when it is done.
 */
export const ANNOTATIONS = {
  recoverRequested: {
    name: `${GROUP}/recover-requested`,
    kind: "JobQueue",
    value: "any text, such as the time; up to 128 characters count",
    meaning:
      "Hand on the stale jobs of the queue now, also where staleLockRecovery of the JobStore is Report or Disabled. Done once for each new value; status.handledRequests.recover says the last one.",
  },
  restartRequested: {
    name: `${GROUP}/restart-requested`,
    kind: "JobQueue",
    value: "any text, such as the time; up to 128 characters count",
    meaning:
      "Replace one worker now: the worst, else the oldest. Done once for each new value; status.handledRequests.restart says the last one.",
  },
  restarts: {
    name: `${GROUP}/restarts`,
    kind: "JobQueue",
    value: "suspended",
    meaning: "No hung worker of the pool is replaced while this stands.",
  },
  reconcile: {
    name: `${GROUP}/reconcile`,
    kind: "JobQueue",
    value: "suspended",
    meaning:
      "The operator leaves the queue, its policy and its workers as they are while this stands: neither the spec nor hung workers lead to anything. Holds stay in force. Only a deletion goes on.",
  },
} as const satisfies Readonly<Record<string, AnnotationMeaning>>;

import type { Assertion, Violation } from "../assertion.ts";
import { TERMINAL_STATES } from "../history.ts";

/** Acknowledged enqueues minus what is terminal, deleted by a person or still there must be nothing. */
export const nothingLost: Assertion = {
  id: "H1",
  title: "every acknowledged enqueue ended, or is still there; after a drain nothing is live",
  promises: ["G1", "G3"],
  check: ({ calls, finals, transitions, expectations }) => {
    const present = new Set(finals.map(({ job }) => job));
    const deleted = new Set(
      calls.filter(({ operation }) => operation === "delete").flatMap(({ leased }) => leased.map(({ job }) => job)),
    );
    // A person may delete what has not started; the ledger shows a row that went and no terminal one.
    const gone = new Set(
      transitions.filter(({ before, after }) => before !== null && after === null).map(({ job }) => job),
    );
    const violations: Violation[] = [];
    for (const call of calls) {
      if (call.operation !== "enqueue" || call.outcome !== "ok") continue;
      for (const { job, outcome } of call.enqueued) {
        if (outcome === "duplicate" || present.has(job)) continue;
        if (gone.has(job) && deleted.has(job)) continue;
        violations.push({
          job,
          at: call.endedAt ?? call.invokedAt,
          message: `${call.process} was told that it is enqueued (${outcome}), and it is nowhere`,
        });
      }
    }
    if (!expectations.drained) return violations;
    for (const { job, state, superseded } of finals) {
      if (!superseded && !TERMINAL_STATES.has(state))
        violations.push({ job, message: `it is still ${state} after the drain` });
    }
    return violations;
  },
};

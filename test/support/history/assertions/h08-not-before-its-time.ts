import type { Assertion, Violation } from "../assertion.ts";
import { isClaim, isRecovery } from "../by-job.ts";

/** No claim before run_at by the database's clock; a failed job waits as long as its policy says. */
export const notBeforeItsTime: Assertion = {
  id: "H8",
  title: "no attempt begins before its run_at, and waits after failures are within their bounds",
  promises: ["G10"],
  check: ({ transitions, expectations }) => {
    const violations: Violation[] = [];
    for (const transition of transitions) {
      const { before, after, job, at, statementAt, writtenAt } = transition;
      if (after === null) continue;
      if (isClaim(transition) && before !== null) {
        // The row's own claimed_at is when the claim began: a job that was enqueued while it ran may be later than that.
        const early = before.runAt - writtenAt;
        if (early > 0) violations.push({ job, at, message: `it was claimed ${early.toFixed(3)} ms before its run_at` });
      }
      if (before?.state === "running" && after.state === "failed" && !isRecovery(transition)) {
        // The wait began somewhere between the arrival of the statement and the writing of the row.
        const { least, most } = expectations.retryWaitMs(before.attempt);
        const longest = after.runAt - statementAt;
        const shortest = after.runAt - writtenAt;
        if (longest < least || shortest > most) {
          violations.push({
            job,
            at,
            message: `after attempt ${before.attempt} it waits ${Math.round(shortest)} to ${Math.round(longest)} ms; allowed are ${least} to ${most}`,
          });
        }
      }
    }
    return violations;
  },
};

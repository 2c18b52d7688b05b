import type { Assertion, Violation } from "../assertion.ts";
import { isRecovery } from "../by-job.ts";
import type { Call, Transition } from "../history.ts";

/** States that each finishing call may leave its job in. */
const EFFECTS: Partial<Readonly<Record<Call["operation"], readonly string[]>>> = {
  complete: ["completed"],
  fail: ["failed", "dead", "cancelled", "pending", "scheduled"],
  snooze: ["scheduled", "pending", "cancelled"],
  return: ["pending", "cancelled"],
  acknowledge_cancel: ["cancelled"],
};

/**
 * What a worker was told about a write must be what happened to the lease it named: "done" only if that write ended that
 * lease, "lost" only if something else did. A write with a superseded token that was told "done" changed another's job.
 */
export const staleWritesRefused: Assertion = {
  id: "H6",
  title: "a write with a superseded token is refused and changes nothing; a write that took effect is not called lost",
  promises: ["G5", "G9"],
  check: ({ transitions, calls }) => {
    const ends = new Map<string, Transition>();
    for (const transition of transitions) {
      const { before, after, job } = transition;
      // A terminal row keeps the token it ended under, so the state has to be looked at as well.
      if (before?.state !== "running" || before.token === null) continue;
      if (after?.state !== "running" || after.token !== before.token) ends.set(`${job}/${before.token}`, transition);
    }
    const violations: Violation[] = [];
    for (const call of calls) {
      const effects = EFFECTS[call.operation];
      if (effects === undefined || call.outcome !== "ok") continue;
      const lost = new Set(call.lost);
      for (const { job, token } of call.leased) {
        const end = ends.get(`${job}/${token}`);
        const byThisKind =
          end !== undefined && end.after !== null && !isRecovery(end) && effects.includes(end.after.state);
        if (!lost.has(job) && !byThisKind) {
          violations.push({
            job,
            at: call.endedAt ?? call.invokedAt,
            message: `${call.process} was told that its ${call.operation} with token ${token} is done, but ${describe(end)}`,
          });
        }
        if (lost.has(job) && byThisKind && call.operation === "complete") {
          violations.push({
            job,
            at: call.endedAt ?? call.invokedAt,
            message: `${call.process} was told that token ${token} is lost, but its completion took effect`,
          });
        }
      }
    }
    return violations;
  },
};

function describe(end: Transition | undefined): string {
  if (end === undefined) return "no transaction ended that lease";
  if (isRecovery(end)) return `that lease was recovered before (the job became ${end.after?.state})`;
  return `that lease ended with the job ${end.after?.state ?? "deleted"}`;
}

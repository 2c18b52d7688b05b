import type { Assertion, Violation } from "../assertion.ts";
import { isClaim, isRecovery, transitionsByJob } from "../by-job.ts";
import type { Deed, JobRow, Transition } from "../history.ts";

/**
 * Attempts count what handlers spent and recoveries what infrastructure lost, each by one per event; and a failure is
 * only recorded where a handler threw.
 */
export const countersReconcile: Assertion = {
  id: "H7",
  title: "attempts and recoveries count what happened, and only a handler's own failure is one",
  promises: ["G9"],
  check: ({ transitions, deeds }) => {
    const deedsByLease = new Map<string, Set<Deed["what"]>>();
    for (const { job, token, what } of deeds) {
      const key = `${job}/${token}`;
      const known = deedsByLease.get(key) ?? new Set();
      deedsByLease.set(key, known.add(what));
    }
    const violations: Violation[] = [];
    for (const [job, list] of transitionsByJob(transitions)) {
      for (const transition of list) {
        const problem = counterProblem(transition) ?? failureProblem(job, transition, deedsByLease);
        if (problem !== undefined) violations.push({ job, at: transition.at, message: problem });
      }
    }
    return violations;
  },
};

function counterProblem(transition: Transition): string | undefined {
  const { before, after } = transition;
  if (before === null || after === null || after.generation !== before.generation) return undefined;
  // What was running when somebody cancelled it may count as either: it is not tried again.
  if (after.state === "cancelled") return undefined;
  const [attempts, recoveries] = expected(transition, before, after);
  if (after.attempt !== attempts)
    return `attempt went from ${before.attempt} to ${after.attempt} when it became ${after.state}, not to ${attempts}`;
  if (after.recoveries !== recoveries)
    return `recoveries went from ${before.recoveries} to ${after.recoveries} when it became ${after.state}, not to ${recoveries}`;
  if (after.state === "dead" && after.deadReason === "attempts" && after.attempt < after.maxAttempts)
    return `dead with ${after.attempt} of ${after.maxAttempts} attempts spent`;
  return undefined;
}

function expected(transition: Transition, before: JobRow, after: JobRow): readonly [number, number] {
  if (isRecovery(transition)) return [Math.max(0, before.attempt - 1), before.recoveries + 1];
  if (isClaim(transition)) return [before.attempt + 1, before.recoveries];
  const given = before.state === "running" && (after.state === "pending" || after.state === "scheduled");
  return [given ? Math.max(0, before.attempt - 1) : before.attempt, before.recoveries];
}

function failureProblem(
  job: string,
  transition: Transition,
  deeds: ReadonlyMap<string, ReadonlySet<Deed["what"]>>,
): string | undefined {
  const { before, after } = transition;
  if (before?.state !== "running" || after === null || isRecovery(transition)) return undefined;
  const did = deeds.get(`${job}/${before.token}`);
  // Without deeds the handler is not one that says what it does.
  if (did === undefined) return undefined;
  const failure = after.state === "failed" || (after.state === "dead" && after.deadReason === "attempts");
  if (failure && !did.has("threw"))
    return `a failed attempt was recorded under token ${before.token}, but the handler ${[...did].join(", ")} and did not throw`;
  if (after.state === "completed" && !did.has("returned"))
    return `it was completed under token ${before.token}, but the handler ${[...did].join(", ")} and did not return`;
  return undefined;
}

import type { Assertion, Violation } from "../assertion.ts";
import { isClaim, isRecovery, transitionsByJob } from "../by-job.ts";
import type { History, WorkerChange } from "../history.ts";

/**
 * Tokens of a job strictly increase over its whole life, no token is given out twice, a running job is not claimed, and
 * nobody takes a job from a worker whose lease still holds by the database's clock.
 */
export const oneLeaseAtATime: Assertion = {
  id: "H4",
  title: "leases of a job never overlap, and their tokens strictly increase",
  promises: ["G4"],
  check: (history) => {
    const workers = workerTimelines(history);
    const violations: Violation[] = [];
    for (const [job, transitions] of transitionsByJob(history.transitions)) {
      let last = 0;
      for (const transition of transitions) {
        const { before, after, at } = transition;
        if (isClaim(transition)) {
          const token = after?.token ?? 0;
          if (token <= last) violations.push({ job, at, message: `token ${token} was given out after token ${last}` });
          if (before?.state === "running")
            violations.push({
              job,
              at,
              message: `worker ${after?.worker} claimed it while worker ${before.worker} ran it under token ${before.token}`,
            });
          last = Math.max(last, token);
        }
        if (isRecovery(transition) && before) {
          const worker = stateAt(workers.get(before.worker ?? ""), at);
          const overdue = before.deadline !== null && before.deadline <= at;
          if (worker?.live && worker.leaseUntil > at && !overdue) {
            violations.push({
              job,
              at,
              message: `it was taken from worker ${before.worker}, whose lease held for another ${Math.round(worker.leaseUntil - at)} ms`,
            });
          }
        }
      }
    }
    return violations;
  },
};

function workerTimelines({ workers }: History): Map<string, WorkerChange[]> {
  const timelines = new Map<string, WorkerChange[]>();
  for (const change of workers) timelines.set(change.worker, [...(timelines.get(change.worker) ?? []), change]);
  for (const list of timelines.values()) list.sort((a, b) => a.order - b.order);
  return timelines;
}

/** The row as it stood before anything that committed later than `at`. */
function stateAt(changes: readonly WorkerChange[] | undefined, at: number): WorkerChange | undefined {
  return changes?.findLast((change) => change.at <= at);
}

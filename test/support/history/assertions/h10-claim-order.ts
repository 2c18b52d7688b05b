import type { Assertion, Violation } from "../assertion.ts";
import { isClaim } from "../by-job.ts";
import type { JobRow, Transition } from "../history.ts";

/** A place in the order of a queue. */
type Place = readonly [priority: number, runAt: number, id: number];

/**
 * With one worker and no faults each claim takes the first jobs of its queue by priority, run_at, id. With more of either,
 * jobs that others were just about to take or give back may be passed over, but no more than `inversions` by one claim.
 */
export const claimOrder: Assertion = {
  id: "H10",
  title: "claims take the first jobs of a queue: by priority, then run_at, then id",
  promises: ["G12"],
  check: ({ transitions, expectations }) => {
    if (expectations.inversions === null) return [];
    const violations: Violation[] = [];
    const waiting = new Map<string, Map<string, { readonly place: Place; readonly since: number }>>();
    for (const group of byTransaction(transitions)) {
      const claims = group.filter(isClaim);
      for (const { job, before, after, at } of group) {
        if (before) waiting.get(before.queue)?.delete(job);
        if (after?.state === "pending") {
          const queue = waiting.get(after.queue) ?? new Map<string, { place: Place; since: number }>();
          waiting.set(after.queue, queue.set(job, { place: placeOf(job, after), since: at }));
        }
      }
      for (const [queue, last] of lastClaimed(claims)) {
        const passed = [...(waiting.get(queue)?.entries() ?? [])].filter(
          ([, { place, since }]) => since < last.transition.statementAt && compare(place, last.place) < 0,
        );
        const [first] = passed;
        if (first !== undefined && passed.length > expectations.inversions) {
          violations.push({
            job: first[0],
            at: last.transition.at,
            message: `job ${last.transition.job} (${last.place.join(", ")}) was claimed and ${passed.length} that come before it were not, among them job ${first[0]} (${first[1].place.join(", ")})`,
          });
        }
      }
    }
    return violations;
  },
};

function lastClaimed(claims: readonly Transition[]): Map<string, { transition: Transition; place: Place }> {
  const last = new Map<string, { transition: Transition; place: Place }>();
  for (const transition of claims) {
    const { before, job } = transition;
    if (before === null) continue;
    const place = placeOf(job, before);
    const known = last.get(before.queue);
    if (known === undefined || compare(place, known.place) > 0) last.set(before.queue, { transition, place });
  }
  return last;
}

function placeOf(job: string, row: JobRow): Place {
  return [row.priority, row.runAt, Number(job)];
}

function compare(a: Place, b: Place): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Transitions of one transaction together, transactions in commit order. */
function byTransaction(transitions: readonly Transition[]): Transition[][] {
  const groups = new Map<string, Transition[]>();
  for (const transition of transitions.toSorted((a, b) => a.at - b.at || a.order - b.order)) {
    const group = groups.get(transition.transaction);
    if (group) group.push(transition);
    else groups.set(transition.transaction, [transition]);
  }
  return [...groups.values()];
}

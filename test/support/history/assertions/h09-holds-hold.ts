import type { Assertion, Violation } from "../assertion.ts";
import { isClaim } from "../by-job.ts";
import type { Deed, Fault, HoldChange } from "../history.ts";

interface Held {
  readonly queue: string;
  readonly from: number;
  readonly to: number;
}

/** Once a hold has committed no claim of its queue commits until it ends; what was claimed before starts only shortly after. */
export const holdsHold: Assertion = {
  id: "H9",
  title: "no claim commits while its queue is held, and no process goes on starting what it had claimed",
  promises: ["G11"],
  check: (history) => {
    const held = intervals(history.holds);
    const violations: Violation[] = [];
    for (const transition of history.transitions) {
      if (!isClaim(transition) || transition.after === null) continue;
      const { job, at } = transition;
      const hold = held.find((each) => covers(each, transition.after?.queue ?? "") && at > each.from && at < each.to);
      if (hold)
        violations.push({
          job,
          at,
          message: `it was claimed ${(at - hold.from).toFixed(3)} ms after a hold of ${hold.queue} had committed`,
        });
    }
    for (const deed of history.deeds) {
      if (deed.what !== "started") continue;
      const latest = (each: Held): number => each.from + history.expectations.startsAfterHoldMs;
      const hold = held.find((each) => covers(each, deed.queue) && deed.at > latest(each) && deed.at < each.to);
      if (hold && !disturbed(deed, hold, history.faults)) {
        violations.push({
          job: deed.job,
          at: deed.at,
          message: `${deed.process} started it ${Math.round(deed.at - hold.from)} ms after a hold of ${hold.queue} had committed`,
        });
      }
    }
    return violations;
  },
};

function covers(held: Held, queue: string): boolean {
  return held.queue === "*" || held.queue === queue;
}

/** Whether a fault kept the process from knowing: it was stopped, or the store could not be reached. */
function disturbed(deed: Deed, hold: Held, faults: readonly Fault[]): boolean {
  return faults.some(
    ({ target, from, to }) => (target === deed.process || target === "store") && from <= deed.at && to >= hold.from,
  );
}

function intervals(changes: readonly HoldChange[]): Held[] {
  const open = new Map<string, Held>();
  const closed: Held[] = [];
  for (const { queue, name, at, placed, until } of changes.toSorted((a, b) => a.order - b.order)) {
    const key = `${queue}/${name}`;
    const standing = open.get(key);
    if (standing) closed.push({ ...standing, to: Math.min(standing.to, at) });
    open.delete(key);
    if (placed) open.set(key, { queue, from: at, to: until ?? Number.POSITIVE_INFINITY });
  }
  return [...closed, ...open.values()];
}

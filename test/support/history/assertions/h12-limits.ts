import type { Assertion, Violation } from "../assertion.ts";
import type { JobRow } from "../history.ts";

/** At every commit at most so many jobs of a queue, or of one concurrency key of it, run. */
export const limitsHold: Assertion = {
  id: "H12",
  title: "never more jobs run at once than the limits of their queue and of their concurrency key allow",
  promises: ["G13"],
  check: ({ transitions, limits }) => {
    const limited = new Map(limits.map((limit) => [limit.queue, limit]));
    const running = new Map<string, Set<string>>();
    const violations: Violation[] = [];
    const places = (row: JobRow | null): readonly (readonly [string, number])[] => {
      const limit = row?.state === "running" ? limited.get(row.queue) : undefined;
      if (row === null || limit === undefined) return [];
      return [
        ...(limit.maxRunning === undefined ? [] : [[`queue ${row.queue}`, limit.maxRunning] as const]),
        ...(limit.maxRunningPerKey === undefined || row.concurrencyKey === null
          ? []
          : [[`key ${row.concurrencyKey} of queue ${row.queue}`, limit.maxRunningPerKey] as const]),
      ];
    };
    // What left and what came in one transaction count together: leaves first.
    for (const { job, before, after, at } of transitions.toSorted(
      (a, b) => a.at - b.at || places(a.after).length - places(b.after).length || a.order - b.order,
    )) {
      for (const [place] of places(before)) running.get(place)?.delete(job);
      for (const [place, most] of places(after)) {
        const jobs = running.get(place) ?? new Set<string>();
        running.set(place, jobs.add(job));
        if (jobs.size > most)
          violations.push({ job, at, message: `${jobs.size} jobs of ${place} run at once; at most ${most} may` });
      }
    }
    return violations;
  },
};

import type { Assertion, Violation } from "../assertion.ts";
import { TERMINAL_STATES, type JobRow } from "../history.ts";

/** Never two live jobs with one unique key. */
export const uniqueKeys: Assertion = {
  id: "H11",
  title: "no two live jobs have the same unique key",
  promises: ["G13", "G2"],
  check: ({ transitions }) => {
    const holders = new Map<string, Set<string>>();
    const violations: Violation[] = [];
    const live = (row: JobRow | null): string | null =>
      row === null || TERMINAL_STATES.has(row.state) ? null : row.uniqueKey;
    for (const { job, before, after, at } of transitions.toSorted((a, b) => a.at - b.at || a.order - b.order)) {
      const had = live(before);
      const has = live(after);
      if (had !== null && had !== has) holders.get(had)?.delete(job);
      if (has === null) continue;
      const jobs = holders.get(has) ?? new Set<string>();
      holders.set(has, jobs.add(job));
      if (jobs.size > 1 && had !== has)
        violations.push({
          job,
          at,
          message: `the unique key ${has} has ${jobs.size} live jobs: ${[...jobs].join(", ")}`,
        });
    }
    return violations;
  },
};

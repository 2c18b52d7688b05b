import type { Assertion, Violation } from "../assertion.ts";
import { transitionsByJob } from "../by-job.ts";
import { TERMINAL_STATES } from "../history.ts";

/** One terminal transition per generation, from a job that was live, and generations count up by one. */
export const oneEndPerGeneration: Assertion = {
  id: "H5",
  title: "each generation of a job ends once",
  promises: ["G6"],
  check: ({ transitions, finals }) => {
    const violations: Violation[] = [];
    for (const [job, list] of transitionsByJob(transitions)) {
      const ended = new Map<number, number>();
      let generation = 0;
      for (const { before, after, at } of list) {
        if (after === null) continue;
        if (after.generation < generation || after.generation > generation + 1)
          violations.push({ job, at, message: `generation ${after.generation} followed generation ${generation}` });
        generation = Math.max(generation, after.generation);
        if (!TERMINAL_STATES.has(after.state)) continue;
        if (before === null || TERMINAL_STATES.has(before.state))
          violations.push({
            job,
            at,
            message: `it became ${after.state} although it was ${before === null ? "not there" : before.state}`,
          });
        const times = (ended.get(after.generation) ?? 0) + 1;
        ended.set(after.generation, times);
        if (times > 1) violations.push({ job, at, message: `generation ${after.generation} ended ${times} times` });
      }
    }
    const kept = new Map<string, number>();
    for (const { job, generation, state } of finals) {
      if (!TERMINAL_STATES.has(state)) continue;
      const times = (kept.get(`${job}/${generation}`) ?? 0) + 1;
      kept.set(`${job}/${generation}`, times);
      if (times === 2) violations.push({ job, message: `the history has generation ${generation} more than once` });
    }
    return violations;
  },
};

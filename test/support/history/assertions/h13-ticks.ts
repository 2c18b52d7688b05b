import type { Assertion, Violation } from "../assertion.ts";
import type { CheckedSchedule } from "../history.ts";

/**
 * Matches runs to target windows, as the Jepsen checker of Chronos does: each tick that was not skipped needs a run of its
 * own inside its window; runs that are left over are extra. What a job says of itself must fit as well.
 */
export const ticksFireOnce: Assertion = {
  id: "H13",
  title: "each tick of a schedule fires once, or is recorded as skipped",
  promises: ["G14"],
  check: ({ schedules }) => schedules.flatMap(checkSchedule),
};

function checkSchedule({ name, ticks, skipped, fired, latenessMs }: CheckedSchedule): Violation[] {
  const violations: Violation[] = [];
  const free = fired.toSorted((a, b) => a.at - b.at);
  const passed = new Set(skipped);
  for (const tick of ticks.toSorted((a, b) => a - b)) {
    const when = new Date(tick).toISOString();
    const own = free.findIndex(
      (run) => (run.tick === null || run.tick === tick) && run.at >= tick && run.at <= tick + latenessMs,
    );
    const [run] = own === -1 ? [] : free.splice(own, 1);
    if (run === undefined && !passed.has(tick))
      violations.push({ at: tick, message: `${name} did not fire at ${when} and does not say that it skipped it` });
    if (run !== undefined && passed.has(tick))
      violations.push({ job: run.job, at: run.at, message: `${name} fired at ${when} and says that it skipped it` });
  }
  for (const run of free) {
    violations.push({
      job: run.job,
      at: run.at,
      message: `${name} made a job too many${run.tick === null ? "" : ` for ${new Date(run.tick).toISOString()}`}`,
    });
  }
  return violations;
}

import type { Assertion } from "../assertion.ts";

/** An enqueue whose outcome is unknown made its job once or not at all; a repetition with the same key made no second. */
export const unknownIsNoneOrOne: Assertion = {
  id: "H3",
  title: "an enqueue of unknown outcome left one job or none, also when it was repeated with its unique key",
  promises: ["G2"],
  check: ({ transitions, calls }) => {
    const made = new Map<string, string[]>();
    for (const { before, after, job } of transitions) {
      if (before === null && after?.generation === 1 && after.tag !== null)
        made.set(after.tag, [...(made.get(after.tag) ?? []), job]);
    }
    const marks = new Set(calls.flatMap((call) => (call.operation === "enqueue" ? call.marks : [])));
    return [...marks].flatMap((mark) => {
      const jobs = made.get(mark) ?? [];
      return jobs.length > 1
        ? [{ job: jobs[1], message: `the enqueue ${mark} made ${jobs.length} jobs: ${jobs.join(", ")}` }]
        : [];
    });
  },
};

import type { Assertion, Violation } from "../assertion.ts";

/** What ran must have been claimed under that very token, by the database's account and by the process's own. */
export const nothingUnexpected: Assertion = {
  id: "H2",
  title: "nothing ran that was not claimed under the token it ran with",
  promises: ["G3", "G4"],
  check: ({ deeds, transitions, calls }) => {
    const claimed = new Set(
      transitions.flatMap(({ job, after }) => (after?.state === "running" ? [`${job}/${String(after.token)}`] : [])),
    );
    const told = new Map<string, string>();
    const violations: Violation[] = [];
    for (const call of calls) {
      if (call.operation !== "claim") continue;
      for (const { job, token } of call.leased) {
        const before = told.get(`${job}/${token}`);
        if (before !== undefined)
          violations.push({
            job,
            at: call.invokedAt,
            message: `the lease ${token} was handed to ${before} and to ${call.process}`,
          });
        told.set(`${job}/${token}`, call.process);
      }
    }
    const seen = new Set<string>();
    for (const { job, token, at, process, what } of deeds) {
      const lease = `${job}/${token}`;
      if (seen.has(`${lease}/${process}`)) continue;
      seen.add(`${lease}/${process}`);
      if (!claimed.has(lease))
        violations.push({ job, at, message: `${process} ${what} it under token ${token}, which no claim gave out` });
      else if (told.has(lease) && told.get(lease) !== process)
        violations.push({ job, at, message: `${process} ${what} it under the lease ${token} of ${told.get(lease)}` });
    }
    return violations;
  },
};

import { describe, expect, it } from "vitest";
import { exitOf, type JobAct, type Outcome, tellOutcome } from "./job-act.ts";

const ACT: Pick<JobAct, "says" | "refuses"> = {
  says: { deleted: "is deleted." },
  refuses: { running: "runs. Stop it instead: jobqueue cancel {id}" },
};

describe("what became of a job that was named", () => {
  it.each([
    ["deleted", true, "Job 7 is deleted."],
    ["running", false, "Job 7 runs. Stop it instead: jobqueue cancel 7"],
    ["dead", false, "Job 7 is dead, which does not allow that."],
    ["not_found", false, "There is no job 7: it never was, or its history is kept no longer."],
  ])("%s is told in words", (outcome, done, message) => {
    expect(tellOutcome(ACT, "7", outcome)).toEqual({ id: "7", outcome, done, message });
  });

  it("is told as what would be, when it is only looked at", () => {
    expect(tellOutcome(ACT, "7", "deleted", true).message).toBe("Job 7 would be: deleted.");
  });

  const of = (...outcomes: string[]): Outcome[] => outcomes.map((outcome) => tellOutcome(ACT, "7", outcome));

  it.each([
    [["deleted", "deleted"], 0],
    [["deleted", "running"], 8],
    [["running"], 8],
    [["not_found"], 3],
    [["not_found", "not_found"], 3],
    [["deleted", "not_found"], 8],
    [["running", "not_found"], 8],
  ])("%j ends with %d: what is not all done never looks like success", (outcomes, code) => {
    expect(exitOf(of(...outcomes))).toBe(code);
  });
});

import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./arguments.ts";
import { describeFilter, jobChoice } from "./job-choice.ts";
import { VERBS } from "./verbs.ts";

function choice(...argv: string[]) {
  const request = parseCommandLine(["retry", ...argv], VERBS);
  if (request.kind !== "run") throw new Error("asks for help");
  return jobChoice(request.args, "retry");
}

describe("which jobs", () => {
  it("are those that are named, each once", () => {
    expect(choice("7", "8", "7", "--dry-run")).toEqual({ ids: ["7", "8"] });
  });

  it("are those that every flag says", () => {
    const flags = ["--queue", "q", "--kind", "k", "--state", "dead", "--tag", "t", "--label", "a=1", "--label", "b=2"];
    const more = ["--worker", "3", "--unique-key", "u", "--older-than", "1h"];
    const filter = {
      queue: "q",
      kind: "k",
      state: "dead" as const,
      tag: "t",
      labels: { a: "1", b: "2" },
      worker: "3",
      uniqueKey: "u",
      olderThanSeconds: 3600,
    };
    expect(choice(...flags, ...more)).toEqual({ filter });
    expect(describeFilter(filter)).toBe(
      "queue q, kind k, state dead, tag t, label a=1, b=2, worker 3, unique key u, older than 1h",
    );
  });

  it.each([
    [[], "needs to be told which jobs"],
    [["--yes", "--reason", "x", "--max", "5"], "needs to be told which jobs"],
    [["7", "--state", "dead"], "--state chooses jobs, and ids name them"],
    [["7", "--max", "5"], "--max chooses jobs, and ids name them"],
    [["x7"], "'x7' is no id of a job"],
    [["--worker", "pool-1"], "'pool-1' is no id of a worker"],
  ])("%j says wrongly", (argv, message) => {
    expect(() => choice(...argv)).toThrow(message);
  });
});

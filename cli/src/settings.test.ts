import { describe, expect, it } from "vitest";
import { parseCommandLine } from "./arguments.ts";
import { changesOf, renderSettings } from "./settings.ts";
import { STORE_SETTINGS } from "./verbs/configure-store.ts";
import { QUEUE_SETTINGS } from "./verbs/configure.ts";
import { flagsOf } from "./verb.ts";
import { VERBS } from "./verbs.ts";

function changes(...argv: string[]) {
  const request = parseCommandLine(["configure", "q", ...argv], VERBS);
  if (request.kind !== "run") throw new Error("asks for help");
  return changesOf(QUEUE_SETTINGS, request.args);
}

describe("the settings of a queue", () => {
  it("that are given are changed, those of --unset go back to their defaults, all others stay", () => {
    expect(changes()).toEqual({});
    expect(
      changes(
        "--max-running",
        "0",
        "--rate",
        "10/1m",
        "--fair",
        "off",
        "--timeout",
        "90s",
        "--unset",
        "retry",
        "--unset=--max-attempts",
      ),
    ).toEqual({
      maxRunning: 0,
      rate: { count: 10, perSeconds: 60 },
      fair: false,
      timeoutSeconds: 90,
      retry: null,
      maxAttempts: null,
    });
  });

  it.each([
    [["--unset", "max-runing"], "--unset takes the name of a setting, not 'max-runing'"],
    [["--unset", "rate", "--rate", "1/s"], "--rate is given and unset at once"],
    [["--rate", "many"], "--rate takes a number of starts per length of time"],
    [["--retry", "often"], "--retry cannot be read"],
  ])("%j is refused", (argv, message) => {
    expect(() => changes(...argv)).toThrow(message);
  });

  it("are shown as they are written on the command line", () => {
    const text = renderSettings(QUEUE_SETTINGS, {
      maxRunning: 20,
      fair: true,
      rate: { count: 100, perSeconds: 60 },
      retry: { intervalsSeconds: [10, 60] },
      resultTtlSeconds: 0,
      onWorkerLoss: "retry",
      maxRecoveries: 3,
    });
    expect(text).toContain(
      "  max-running          20\n  max-running-per-key  no limit (default)\n  fair                 on\n",
    );
    expect(text).toContain("  rate                 100/1m\n");
    expect(text).toContain("  retry                10s,1m\n");
    expect(text).toContain("  result-ttl           0s\n  on-worker-loss       retry (default)\n");
  });
});

describe("the tables of settings", () => {
  it.each([
    ["configure", QUEUE_SETTINGS],
    ["configure-store", STORE_SETTINGS],
  ] as const)("of %s have every flag of the verb, with the default that its help says", (name, rows) => {
    const verb = VERBS.find((candidate) => candidate.name === name);
    const flags = (verb ? flagsOf(verb) : []).filter(({ name: flag }) => rows.some((row) => row.flag === flag));
    expect(flags.map((flag) => [flag.name, flag.default])).toEqual(rows.map((row) => [row.flag, row.fallback]));
  });
});

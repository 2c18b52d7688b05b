import { JOB_STATE_NAMES } from "@jobqueue/store";
import { describe, expect, it } from "vitest";
import { renderOverview, renderVerbHelp } from "./help.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { flagsOf } from "./verb.ts";
import { JOB_STATES } from "./job-flags.ts";
import { VERB_GROUPS, VERBS } from "./verbs.ts";

describe("the table of verbs", () => {
  it("has the verbs of the product, each once", () => {
    expect(VERBS.map((verb) => verb.name)).toEqual([
      "status",
      "jobs",
      "job",
      "why",
      "explain",
      "workers",
      "holds",
      "schedules",
      "audit",
      "doctor",
      "report",
      "enqueue",
      "retry",
      "cancel",
      "delete",
      "recover-stale",
      "pause",
      "resume",
      "configure",
      "configure-store",
      "schedule put",
      "schedule delete",
      "schedule pause",
      "schedule resume",
      "schedule trigger",
      "schedule preview",
      "roles",
      "grant",
      "revoke",
      "api-key create",
      "api-key list",
      "api-key revoke",
      "migrate",
      "worker",
      "operator",
      "admin",
      "completion",
      "version",
      "help",
    ]);
  });

  it("gives a flag the same type and short name wherever it appears", () => {
    const types = new Map<string, Set<string>>();
    for (const flag of VERBS.flatMap(flagsOf)) {
      const seen = types.get(flag.name) ?? new Set();
      types.set(flag.name, seen.add(`${flag.type} ${flag.short ?? ""}`));
    }
    expect([...types].filter(([, seen]) => seen.size > 1)).toEqual([]);
  });

  it("gives no short name to two flags", () => {
    const shorts = VERBS.flatMap(flagsOf).filter((flag) => flag.short !== undefined);
    const names = new Map(shorts.map((flag) => [flag.short, flag.name]));
    expect(shorts.filter((flag) => names.get(flag.short) !== flag.name)).toEqual([]);
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))("describes %s: summary, flags, examples", (_, verb) => {
    const flags = flagsOf(verb);
    expect(new Set(flags.map((flag) => flag.name)).size).toBe(flags.length);
    expect(verb.summary).toMatch(/\.$/);
    expect(verb.examples.length).toBeGreaterThan(0);
    for (const flag of flags) {
      expect(flag.summary).not.toBe("");
      expect(flag.placeholder === undefined).toBe(flag.type === "switch");
      expect(flag.choices === undefined).toBe(flag.type !== "choice");
    }
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))(
    "leads to code that runs %s",
    { timeout: 60_000 },
    async (_, verb) => {
      const { run } = await verb.load();
      expect(run).toBeTypeOf("function");
    },
  );

  it("knows the states of the store", () => {
    expect([...JOB_STATES].toSorted()).toEqual([...JOB_STATE_NAMES].toSorted());
  });
});

describe("help", () => {
  it("names every verb and every exit code", () => {
    const text = renderOverview(VERB_GROUPS, { width: 80, colour: false });
    for (const verb of VERBS) expect(text).toContain(`  ${verb.name} `);
    for (const { code, meaning } of Object.values(EXIT_CODES)) {
      expect(text).toContain(` ${code}  ${meaning.split(" ").slice(0, 3).join(" ")}`);
    }
  });

  it.each(VERBS.map((verb) => [verb.name, verb] as const))("of %s names all its flags", (_, verb) => {
    const text = renderVerbHelp(verb, [], { width: 80, colour: false });
    for (const flag of flagsOf(verb)) expect(text).toContain(`--${flag.name}`);
  });

  it("fits the terminal, but for examples and long words", () => {
    for (const width of [60, 80, 100]) {
      const texts = [
        renderOverview(VERB_GROUPS, { width, colour: false }),
        ...VERBS.map((verb) => renderVerbHelp(verb, [], { width, colour: false })),
      ];
      const lines = texts.flatMap((text) => text.split("\nExamples:")[0]?.split("\n") ?? []);
      const tooLong = lines.filter(
        (line) => line.length > width && !/postgres:\/\/\S+$/.test(line) && !line.startsWith("  jobqueue "),
      );
      expect(tooLong).toEqual([]);
    }
  });
});

describe("the exit codes", () => {
  it("are distinct, and 0 is success", () => {
    const codes = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(EXIT_CODES.ok.code).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import { findVerb, parseCommandLine, usageLine } from "./arguments.ts";
import { Failure } from "./failure.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** The arguments of a command line that is well formed. */
function argumentsOf(...argv: string[]) {
  const request = parseCommandLine(argv, VERBS);
  if (request.kind !== "run") throw new Error(`${argv.join(" ")} asks for help`);
  return request;
}

/** What a command line is refused with: message, and what to do. */
function refusal(...argv: string[]): string {
  try {
    parseCommandLine(argv, VERBS);
  } catch (error) {
    if (!(error instanceof Failure) || error.exit !== "usage") throw error;
    return [error.message, error.remedy].filter(Boolean).join(" | ");
  }
  throw new Error(`${argv.join(" ")} was accepted`);
}

describe("a command line", () => {
  it("gives positionals and flags their values and types", () => {
    const { verb, args } = argumentsOf("enqueue", "mailers", "welcome", "--count", "20", "--delay=1h30m", "-o", "json");
    expect(verb.name).toBe("enqueue");
    expect(args.positional("QUEUE")).toBe("mailers");
    expect(args.positional("KIND")).toBe("welcome");
    expect(args.number("count")).toBe(20);
    expect(args.number("delay")).toBe(5400);
    expect(args.text("output")).toBe("json");
    expect(args.number("timeout")).toBeUndefined();
  });

  it("may have flags before the verb, as kubectl may", () => {
    const { args } = argumentsOf("-n", "shop", "status", "mailers");
    expect(args.text("namespace")).toBe("shop");
    expect(args.optional("QUEUE")).toBe("mailers");
  });

  it("may have values that begin with a dash where that cannot be a flag, and anything behind --", () => {
    expect(argumentsOf("enqueue", "q", "k", "--priority", "-5").args.number("priority")).toBe(-5);
    expect(argumentsOf("enqueue", "q", "k", "--payload", "-").args.text("payload")).toBe("-");
    expect(argumentsOf("pause", "q", "--reason=--why").args.text("reason")).toBe("--why");
    expect(argumentsOf("enqueue", "--", "-q", "k").args.positional("QUEUE")).toBe("-q");
  });

  it.each([
    [[], undefined],
    [["--help"], undefined],
    [["-h"], undefined],
    [["pause", "--help"], "pause"],
    [["worker", "--slots", "3", "--help"], "worker"],
  ])("%j asks for help", (argv, topic) => {
    expect(parseCommandLine(argv, VERBS)).toEqual({ kind: "help", topic });
  });

  it("with an unknown flag is refused even beside --help, so that a typo is seen", () => {
    expect(refusal("pause", "--resaon", "-h")).toContain("Did you mean --reason?");
  });

  it("of worker and operator is theirs: what follows the verb is passed on as it stands", () => {
    const { verb, args } = argumentsOf("worker", "--queues", "high,default", "--whatever");
    expect(verb.name).toBe("worker");
    expect(args.rest).toEqual(["--queues", "high,default", "--whatever"]);
    expect(refusal("-n", "shop", "operator")).toBe("operator comes first | Usage: jobqueue operator [flags]");
  });

  it.each([
    [["puase", "q"], "there is no verb 'puase' | Did you mean `jobqueue pause`?"],
    [["wipe"], "there is no verb 'wipe' | `jobqueue help` lists the verbs."],
    [["pause", "q", "--resaon", "x"], "there is no flag --resaon | Did you mean --reason?"],
    [["pause", "q", "-z"], "there is no flag -z | `jobqueue help VERB` lists the flags of a verb."],
    [
      ["status", "--count", "3"],
      "status has no flag --count (enqueue, schedule preview have it) | `jobqueue help status` lists its flags.",
    ],
    [
      ["status", "--reason", "x"],
      "status has no flag --reason (retry, cancel, delete and others have it) | `jobqueue help status` lists its flags.",
    ],
    [["-o", "json"], "-o needs a verb before or after it | `jobqueue help` lists the verbs."],
    [
      ["pause", "q"],
      "pause needs --reason: Why: whoever is on call next will read it. | Usage: jobqueue pause QUEUE --reason TEXT [flags]",
    ],
    [
      ["pause", "--reason", "x"],
      "pause needs QUEUE: Name of the queue, or '*' for every queue of the store. | Usage: jobqueue pause QUEUE --reason TEXT [flags]",
    ],
    [["pause", "q", "--reason"], "--reason needs a value: --reason TEXT"],
    [["pause", "q", "--reason", ""], "--reason needs a value, not an empty one"],
    [
      ["pause", "q", "--reason", "--for"],
      "--reason needs a value: --reason TEXT | If '--for' is the value, write --reason=--for.",
    ],
    [["pause", "q", "--reason", "x", "--reason", "y"], "--reason is given twice"],
    [
      ["pause", "q", "--reason", "x", "--for", "30"],
      "--for takes a length of time such as 45s, 5m, 1h30m or 2d, not '30'",
    ],
    [["enqueue", "q", "k", "--count", "0"], "--count takes a whole number from 1 to 10000000, not '0'"],
    [["enqueue", "q", "k", "--count", "1e3"], "--count takes a whole number from 1 to 10000000, not '1e3'"],
    [["enqueue", "q", "k", "--priority", "1.5"], "--priority takes a whole number from -32768 to 32767, not '1.5'"],
    [["status", "-o", "jsn"], "--output takes one of table, json, yaml, name, not 'jsn' | Did you mean json?"],
    [
      ["jobs", "--state", "runing"],
      "--state takes one of pending, running, scheduled, failed, deferred, completed, cancelled, dead, not 'runing' | Did you mean running?",
    ],
    [["version", "--cluster=yes"], "--cluster takes no value"],
    [
      ["job"],
      "job needs ID: Id of the job, as `jobqueue jobs` and `enqueue` print it. | Usage: jobqueue job ID [flags]",
    ],
    [["job", "1", "2"], "job takes one argument, and got 2: 1 2 | Usage: jobqueue job ID [flags]"],
    [["migrate", "now"], "migrate takes no argument, and got 1: now | Usage: jobqueue migrate [flags]"],
  ])("%j is refused with a sentence that says what to do", (argv, message) => {
    expect(refusal(...argv)).toBe(message);
  });

  it("in which the shell replaced a star by the names of files says how to quote it", () => {
    expect(refusal("pause", "LICENSE", "Makefile", "README.md", "--reason", "x")).toContain("quote it: '*'");
  });

  it("is shown as usage with what it needs", () => {
    expect(VERBS.map(usageLine)).toMatchInlineSnapshot(`
      [
        "jobqueue status [QUEUE] [flags]",
        "jobqueue jobs [flags]",
        "jobqueue job ID [flags]",
        "jobqueue why WHAT [flags]",
        "jobqueue explain [NAME] [flags]",
        "jobqueue workers [flags]",
        "jobqueue holds [QUEUE] [flags]",
        "jobqueue schedules [NAME] [flags]",
        "jobqueue audit [flags]",
        "jobqueue doctor [flags]",
        "jobqueue report [flags]",
        "jobqueue enqueue QUEUE KIND [flags]",
        "jobqueue retry [ID…] [flags]",
        "jobqueue cancel [ID…] [flags]",
        "jobqueue delete [ID…] [flags]",
        "jobqueue recover-stale [flags]",
        "jobqueue pause QUEUE --reason TEXT [flags]",
        "jobqueue resume QUEUE [flags]",
        "jobqueue configure QUEUE [flags]",
        "jobqueue configure-store [flags]",
        "jobqueue schedule put NAME QUEUE KIND --cron CRON [flags]",
        "jobqueue schedule delete NAME [flags]",
        "jobqueue schedule pause NAME [flags]",
        "jobqueue schedule resume NAME [flags]",
        "jobqueue schedule trigger NAME [flags]",
        "jobqueue schedule preview [NAME] [flags]",
        "jobqueue roles [flags]",
        "jobqueue grant ROLE USER [flags]",
        "jobqueue revoke ROLE USER [flags]",
        "jobqueue api-key create NAME --scope SCOPE [flags]",
        "jobqueue api-key list [flags]",
        "jobqueue api-key revoke NAME [flags]",
        "jobqueue migrate [flags]",
        "jobqueue worker [flags]",
        "jobqueue operator [flags]",
        "jobqueue admin [flags]",
        "jobqueue completion SHELL [flags]",
        "jobqueue version [flags]",
        "jobqueue help [VERB…] [flags]",
      ]
    `);
  });

  it("that asks for what the table does not have is a defect, not a wrong command line", () => {
    const { args } = argumentsOf("status");
    expect(() => args.text("reason")).toThrow("status has no flag --reason");
    expect(() => args.number("output")).toThrow("status has no flag --output of type integer or duration");
    expect(() => args.positional("QUEUE")).toThrow("QUEUE is not required");
    expect(() => args.optional("KIND")).toThrow("status has no positional KIND");
  });
});

describe("what the table can express", () => {
  const verb = (name: string, more: Partial<Verb> = {}): Verb => ({
    name,
    summary: "Does it.",
    description: [],
    positionals: [],
    flags: [],
    groups: [],
    examples: [],
    load: async () => ({ run: async () => 0 }),
    ...more,
  });
  const table = [
    verb("show"),
    verb("timer put", { positionals: [{ name: "NAME", required: true, summary: "Its name." }] }),
    verb("timer delete", {
      positionals: [{ name: "NAME", required: false, many: true, summary: "Their names." }],
      flags: [{ name: "mark", type: "text", placeholder: "K=V", repeatable: true, summary: "A mark." }],
    }),
  ];
  const parsed = (...argv: string[]) => {
    const request = parseCommandLine(argv, table);
    if (request.kind !== "run") throw new Error("asks for help");
    return request;
  };

  it("a verb of two words, which need not stand together", () => {
    expect(parsed("timer", "put", "x").args.positional("NAME")).toBe("x");
    expect(parsed("timer", "--mark", "a=1", "delete", "x").verb.name).toBe("timer delete");
    expect(parseCommandLine(["timer", "put", "--help"], table)).toEqual({ kind: "help", topic: "timer put" });
  });

  it.each([
    [["timer"], "timer needs to be told what to do", "It is one of `x timer put`, `x timer delete`."],
    [["timer", "pot"], "there is no verb 'timer pot'", "Did you mean `x timer put`?"],
    [["shwo"], "there is no verb 'shwo'", "Did you mean `x show`?"],
  ])("that is not there suggests what is: %j", (words, message, remedy) => {
    expect(() => findVerb(words, table, "x")).toThrow(expect.objectContaining({ message, remedy }) as Error);
  });

  it("arguments and flags that may be given several times", () => {
    const { verb: found, args } = parsed("timer", "delete", "x", "y", "--mark", "a=1", "--mark=b=2");
    expect(args.many("NAME")).toEqual(["x", "y"]);
    expect(args.texts("mark")).toEqual(["a=1", "b=2"]);
    expect(args.has("mark")).toBe(true);
    expect(usageLine(found)).toBe("jobqueue timer delete [NAME…] [flags]");
    const none = parsed("timer", "delete").args;
    expect([none.many("NAME"), none.texts("mark"), none.has("mark")]).toEqual([[], [], false]);
    expect(() => none.text("mark")).toThrow("has no flag --mark");
  });
});

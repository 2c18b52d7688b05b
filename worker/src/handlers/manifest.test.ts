import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HANDLER_PROPERTIES, parseManifest } from "./manifest.ts";

const FILE = "/etc/handlers/handlers.yaml";

describe("handlers.yaml", () => {
  it("maps kinds to commands", () => {
    const manifest = parseManifest(
      `handlers:
  document.checksum:
    command: [python3, checksum.py, --fast]
    timeoutSeconds: 90
    env: { LEVEL: "9" }
    passEnv: [AWS_REGION]
    cwd: scripts
    runAs: nobody:nogroup
    permanentExitCodes: [65, 66]
  noop:
    command:
      - "true"
`,
      FILE,
    );
    expect(manifest).toEqual({
      problems: [],
      handlers: [
        {
          kind: "document.checksum",
          command: ["python3", "checksum.py", "--fast"],
          timeoutSeconds: 90,
          env: { LEVEL: "9" },
          passEnv: ["AWS_REGION"],
          cwd: "/etc/handlers/scripts",
          runAs: "nobody:nogroup",
          permanentExitCodes: [65, 66],
        },
        {
          kind: "noop",
          command: ["true"],
          timeoutSeconds: undefined,
          env: {},
          passEnv: [],
          cwd: "/etc/handlers",
          runAs: undefined,
          permanentExitCodes: [],
        },
      ],
    });
  });

  it.each([
    {
      what: "text that is no YAML",
      text: "handlers: [",
      problem: "/etc/handlers/handlers.yaml: Flow sequence in block collection",
    },
    { what: "an empty file", text: "", problem: ":1: the file: must be a mapping with the key handlers" },
    { what: "a list", text: "- a\n", problem: ":1: the file: must be a mapping with the key handlers" },
    { what: "no handlers", text: "handlers: {}\n", problem: ":1: handlers: must map at least one kind to its handler" },
    {
      what: "an unknown key at the top",
      text: "handlers: {a: {command: [b]}}\nversion: 2\n",
      problem: ":2: version: is not known; known are handlers",
    },
    {
      what: "a handler that is only a command",
      text: "handlers:\n  a: python3\n",
      problem: ":2: handlers.a: must be a mapping with the key command",
    },
    {
      what: "a misspelt property",
      text: "handlers:\n  a:\n    command: [b]\n    timeout: 3\n",
      problem:
        ":4: handlers.a.timeout: is not known; known are command, timeoutSeconds, env, passEnv, cwd, runAs, permanentExitCodes",
    },
    {
      what: "a command in one text",
      text: "handlers:\n  a:\n    command: python3 x.py\n",
      problem: ":3: handlers.a.command: must be a list, no shell reads it: write [python3, x.py]",
    },
    {
      what: "no command",
      text: "handlers:\n  a:\n    cwd: /x\n",
      problem: ":2: handlers.a.command: must be a list of the program",
    },
    {
      what: "a number among the arguments",
      text: "handlers:\n  a:\n    command: [b, 3]\n",
      problem: ":3: handlers.a.command: must consist of texts",
    },
    {
      what: "a timeout of none",
      text: "handlers:\n  a:\n    command: [b]\n    timeoutSeconds: 0\n",
      problem: ":4: handlers.a.timeoutSeconds: timeoutSeconds must be a number above 0",
    },
    {
      what: "a number as a variable",
      text: "handlers:\n  a:\n    command: [b]\n    env:\n      LEVEL: 9\n",
      problem: ":5: handlers.a.env.LEVEL: must be a text: put it in quotes",
    },
    {
      what: "the worker's own secret",
      text: "handlers:\n  a:\n    command: [b]\n    passEnv: [DATABASE_URL]\n",
      problem: "DATABASE_URL belongs to the worker and is never given to a handler",
    },
    {
      what: "the worker's own settings",
      text: "handlers:\n  a:\n    command: [b]\n    env: {JOBQUEUE_JOB_ID: x}\n",
      problem: "JOBQUEUE_JOB_ID belongs to the worker",
    },
    {
      what: "a user that is a list",
      text: "handlers:\n  a:\n    command: [b]\n    runAs: [nobody]\n",
      problem: ":4: handlers.a.runAs: must be user or user:group",
    },
    {
      what: "exit code 0 as a failure",
      text: "handlers:\n  a:\n    command: [b]\n    permanentExitCodes: [0]\n",
      problem: ":4: handlers.a.permanentExitCodes: must be a list of exit codes from 1 to 255",
    },
    {
      what: "a kind with a space",
      text: "handlers:\n  a b:\n    command: [b]\n",
      problem: 'the kind "a b" must not contain spaces',
    },
  ])("refuses $what and says where", ({ text, problem }) => {
    const { handlers, problems } = parseManifest(text, FILE);
    expect(handlers).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it("takes a number as a user", () => {
    expect(parseManifest("handlers: {a: {command: [b], runAs: 1000}}", FILE).handlers[0]?.runAs).toBe("1000");
  });

  it("reports all problems at once", () => {
    expect(parseManifest("handlers:\n  a: {}\n  b:\n    command: []\n    cwd: 3\n", FILE).problems).toHaveLength(3);
  });

  it("has the properties that its schema documents", () => {
    const schema = JSON.parse(readFileSync(new URL("../../handlers.schema.json", import.meta.url), "utf8")) as {
      $defs: { handler: { properties: object; required: string[]; additionalProperties: boolean } };
    };
    const { properties, required, additionalProperties } = schema.$defs.handler;
    expect(Object.keys(properties)).toEqual([...HANDLER_PROPERTIES]);
    expect(required).toEqual(["command"]);
    expect(additionalProperties).toBe(false);
  });
});

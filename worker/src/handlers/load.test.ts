import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HandlersError, loadHandlers } from "./load.ts";

describe("handler files", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "jobqueue-load-test-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  function file(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  async function problemsOf(...files: readonly string[]): Promise<readonly string[]> {
    try {
      await loadHandlers(files, { PATH: "/usr/bin:/bin" });
      return [];
    } catch (error) {
      if (error instanceof HandlersError) return error.problems;
      throw error;
    }
  }

  it.each([
    {
      what: "an object of functions by kind",
      text: `export default { a: () => 1, "b.c": async () => 2 };`,
      kinds: ["a", "b.c"],
    },
    {
      what: "a list of handlers",
      text: `export default [{ kind: "a", run: () => 1, timeoutSeconds: 5 }];`,
      kinds: ["a"],
    },
    { what: "one handler", text: `export default { kind: "a", run: () => 1 };`, kinds: ["a"] },
    {
      what: "handlers by name",
      text: `export const handlers = { a: { run: () => 1, timeoutSeconds: 5 } };`,
      kinds: ["a"],
    },
  ])("may export $what", async ({ text, kinds }) => {
    const handlers = await loadHandlers([file("handlers.mjs", text)], {});
    expect([...handlers.keys()]).toEqual(kinds);
  });

  it("may be TypeScript, and several", async () => {
    const handlers = await loadHandlers(
      [
        file("a.ts", "interface P { n: number }\nexport default { double: ({ n }: P): number => n * 2 };"),
        file("b.yaml", "handlers:\n  shell: { command: [sh, -c, 'exit 0'], timeoutSeconds: 3 }\n"),
      ],
      { PATH: "/usr/bin:/bin" },
    );
    expect([...handlers.keys()]).toEqual(["double", "shell"]);
    expect(await handlers.get("double")?.run({ n: 21 }, {} as never)).toBe(42);
    expect(handlers.get("shell")?.timeoutSeconds).toBe(3);
  });

  it.each([
    {
      what: "a module that exports nothing",
      name: "x.mjs",
      text: "export const other = 1;",
      problem: "exports neither handlers nor a default",
    },
    {
      what: "a module that throws",
      name: "x.mjs",
      text: `throw new Error("no licence");`,
      problem: "cannot be loaded: no licence",
    },
    {
      what: "a handler that is no function",
      name: "x.mjs",
      text: `export default { a: { run: 3 } };`,
      problem: "a: the handler of a is no function",
    },
    {
      what: "a handler without a kind",
      name: "x.mjs",
      text: `export default [{ run() {} }];`,
      problem: "handler 1: a kind must be a text",
    },
    {
      what: "a wrong timeout",
      name: "x.mjs",
      text: `export default { a: { run() {}, timeoutSeconds: -1 } };`,
      problem: "a: timeoutSeconds must be a number above 0",
    },
    { what: "an empty object", name: "x.mjs", text: `export default {};`, problem: "no handler file names a handler" },
    {
      what: "a program that is not there",
      name: "x.yaml",
      text: "handlers: {a: {command: [no-such-program]}}",
      problem: "handlers.a: command: no no-such-program on the PATH",
    },
    {
      what: "a path that is not there",
      name: "x.yaml",
      text: "handlers: {a: {command: [./run.sh]}}",
      problem: "/run.sh is no executable file",
    },
    {
      what: "a directory that is not there",
      name: "x.yaml",
      text: "handlers: {a: {command: [sh], cwd: nowhere}}",
      problem: "handlers.a: cwd: ",
    },
  ])("that are $what are refused", async ({ name, text, problem }) => {
    const problems = await problemsOf(file(name, text));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it("report a kind with two handlers, and all problems of all files", async () => {
    mkdirSync(join(directory, "sub"));
    const one = file("one.mjs", "export default { a: () => 1 };");
    const two = file("two.mjs", "export default { a: () => 2, 'b c': () => 3 };");
    expect(await problemsOf(one, two, join(directory, "missing.yaml"))).toEqual([
      expect.stringMatching(/two\.mjs: b c: the kind "b c" must not contain spaces/),
      expect.stringMatching(/two\.mjs: the kind a has a handler already, in .*one\.mjs$/),
      expect.stringMatching(/missing\.yaml: cannot be read: ENOENT/),
    ]);
  });
});

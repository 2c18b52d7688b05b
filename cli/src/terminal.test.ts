import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { terminalOf } from "./terminal.ts";

/** A process whose output goes to a terminal of 120 cells, or to files. */
function streams(isTTY: boolean, env: Record<string, string>) {
  const stdout = Object.assign(new PassThrough(), isTTY ? { isTTY, columns: 120 } : {});
  const stderr = Object.assign(new PassThrough(), isTTY ? { isTTY } : {});
  return { stdout, stderr, stdin: Object.assign(new PassThrough(), isTTY ? { isTTY } : {}), env };
}

describe("what the output goes to", () => {
  it.each([
    ["a terminal", true, {}, { width: 120, colour: true, progress: true, interactive: true }],
    ["a terminal with NO_COLOR", true, { NO_COLOR: "1" }, { width: 120, colour: false, progress: true }],
    [
      "a terminal with an empty NO_COLOR, which means nothing",
      true,
      { NO_COLOR: "" },
      { width: 120, colour: true, progress: true, interactive: true },
    ],
    ["a dumb terminal", true, { TERM: "dumb" }, { width: 120, colour: false, progress: true }],
    ["a file or pipe", false, {}, { width: undefined, colour: false, progress: false, interactive: false }],
  ])("%s decides width, colours and progress", (_, isTTY, env, wanted) => {
    expect(terminalOf(streams(isTTY, env))).toMatchObject(wanted);
  });
});

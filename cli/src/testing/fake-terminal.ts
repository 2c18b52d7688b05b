import { PassThrough, Readable } from "node:stream";
import type { Terminal } from "../terminal.ts";

/** A terminal that keeps what is printed, and at which somebody types `answers`. */
export interface FakeTerminal {
  readonly terminal: Terminal;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A terminal of 80 cells at which a person sits who types this, and then nothing more. */
export function fakeTerminal(answers: string, env: Readonly<Record<string, string>> = {}): FakeTerminal {
  const [stdout, stderr] = [new PassThrough({ encoding: "utf8" }), new PassThrough({ encoding: "utf8" })];
  const written = { stdout: "", stderr: "" };
  stdout.on("data", (text: string) => (written.stdout += text));
  stderr.on("data", (text: string) => (written.stderr += text));
  return {
    terminal: {
      stdout,
      stderr,
      stdin: Readable.from([answers]),
      env,
      width: 80,
      colour: false,
      progress: false,
      interactive: true,
    },
    stdout: () => written.stdout,
    stderr: () => written.stderr,
  };
}

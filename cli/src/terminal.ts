import type { Readable, Writable } from "node:stream";
import type { WriteStream } from "node:tty";

/** The outside of the command: where it prints, what it reads, who runs it. An argument everywhere, so it can be tested. */
export interface Terminal {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly stdin: Readable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Width in cells where standard output is a terminal; `undefined` for files and pipes, where nothing is cut. */
  readonly width: number | undefined;
  /** Whether standard output takes colours: it is a terminal that knows them, and NO_COLOR is not set (no-color.org). */
  readonly colour: boolean;
  /** Whether standard error is a terminal, where a line of progress can be written over. */
  readonly progress: boolean;
}

function isTerminal(stream: Writable): stream is WriteStream {
  return (stream as { isTTY?: boolean }).isTTY === true;
}

/** The terminal that the process was started on. */
export function processTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  const noColour = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return {
    stdout,
    stderr,
    stdin,
    env,
    width: isTerminal(stdout) ? stdout.columns : undefined,
    colour: isTerminal(stdout) && !noColour,
    progress: isTerminal(stderr),
  };
}

/** Writes a line to standard output. */
export function print(terminal: Terminal, text: string): void {
  terminal.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Writes a line to standard error: what is said beside the result. */
export function remark(terminal: Terminal, text: string): void {
  terminal.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
}

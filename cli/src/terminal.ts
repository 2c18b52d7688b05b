import type { Readable, Writable } from "node:stream";

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
  /** Whether a person can be asked: standard input and standard error are a terminal. */
  readonly interactive: boolean;
}

/** What a terminal is made from: a process, or what a test gives for one. */
export interface Streams {
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The terminal of a process. */
export function terminalOf({ stdout, stderr, stdin, env }: Streams): Terminal {
  const onTerminal = stdout.isTTY === true;
  const noColour = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return {
    stdout,
    stderr,
    stdin,
    env,
    width: onTerminal ? stdout.columns : undefined,
    colour: onTerminal && !noColour,
    progress: stderr.isTTY === true,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
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

import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";

/** How much of a command's output an error quotes, in characters from its end. */
const TAIL = 2000;

/** A command that could not be started or did not end with 0; the message ends with the last of what it printed. */
export class CommandError extends Error {
  /** Exit code; undefined when the command could not be started or was killed. */
  readonly code: number | undefined;
  readonly stderr: string;

  constructor(command: string, code: number | undefined, reason: string, stderr: string) {
    super(`${command}: ${reason}${stderr ? `\n${stderr.trimEnd().slice(-TAIL)}` : ""}`);
    this.name = "CommandError";
    this.code = code;
    this.stderr = stderr;
  }
}

/**
 * A command must not go on by itself when this process is killed: the next run would meet it at work. Linux can tell a
 * process of its parent's death; SIGTERM, so that it may clear up. Elsewhere it is Ctrl-C alone that reaches them.
 */
const FOLLOWS_US = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--"] : [];

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text for standard input; without it the command reads nothing. */
  readonly input?: string;
  /** File that gets a copy of everything the command prints. */
  readonly log?: string;
  /** Let the command finish even when this process is killed: for what must not stop half way (dpkg). */
  readonly outlivesUs?: boolean;
  /** Kills the command after this time. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end and returns its standard output; throws CommandError when it fails. */
export async function run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const [program = "", ...words] = [...(options.outlivesUs ? [] : FOLLOWS_US), command, ...args];
    const child = spawn(program, words, {
      cwd: options.cwd,
      // In a process group of its own: mmdebstrap ends the whole group it is in when it fails.
      detached: FOLLOWS_US.length > 0,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
    });
    const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: "a" });
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      log?.write(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-100_000);
      log?.write(chunk);
    });
    child.stdin.on("error", () => {}); // a command that ends without reading its input is no error of ours
    child.stdin.end(options.input ?? "");
    const shown = [command, ...args].join(" ").slice(0, 200);
    child.once("error", (error) => {
      log?.end();
      reject(new CommandError(shown, undefined, error.message, stderr));
    });
    child.once("close", (code, signal) => {
      log?.end();
      const output = Buffer.concat(stdout).toString();
      if (code === 0) resolve(output);
      else
        reject(
          new CommandError(
            shown,
            code ?? undefined,
            signal ? `killed by ${signal}` : `exit code ${code}`,
            stderr || output,
          ),
        );
    });
  });
}

/** Like `run`, but a failure is an answer: undefined. */
export async function tryRun(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string | undefined> {
  try {
    return await run(command, args, options);
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

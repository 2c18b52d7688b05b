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
 * process of its parent's death, but not its children's children, and kind, for one, works through those. So commands
 * run in a process group of their own (mmdebstrap needs that anyway: when it fails it ends the whole group it is in),
 * below a shell that passes the news on. Elsewhere than on Linux it is Ctrl-C alone that reaches them.
 */
const GROUP_SHELL = `trap 'trap "" TERM; kill -TERM 0; wait' TERM; exec 3<&0; "$@" <&3 3<&- & wait $!`;
const IN_GROUP = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", "/bin/sh", "-c", GROUP_SHELL, "sh"];
const CAN_GROUP = existsSync("/usr/bin/setpriv");

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
    const grouped = CAN_GROUP && !options.outlivesUs;
    const [program = "", ...words] = [...(grouped ? IN_GROUP : []), command, ...args];
    const child = spawn(program, words, {
      cwd: options.cwd,
      detached: CAN_GROUP,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const timer =
      options.timeoutMs === undefined ? undefined : setTimeout(() => killGroup(child.pid), options.timeoutMs);
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
      clearTimeout(timer);
      log?.end();
      reject(new CommandError(shown, undefined, error.message, stderr));
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
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

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(CAN_GROUP ? -pid : pid, "SIGKILL");
  } catch {
    // it has just ended
  }
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

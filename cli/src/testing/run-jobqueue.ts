import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";

/** How a run of the command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as npm installs it. */
export const BINARY = join(import.meta.dirname, "../../bin/jobqueue");

/** The environment is what the test says and nothing else: no DATABASE_URL and no kubeconfig of whoever runs the tests. */
function environment(given: Readonly<Record<string, string>>): Record<string, string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: cache, ...given };
}

/** Runs the real command in a process of its own, to its end. */
export async function runJobqueue(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Ended> {
  const child = spawn(BINARY, args, { env: environment(options.env ?? {}), stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(options.input ?? "");
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout, stderr };
}

/** The command while it runs, such as a worker or an operator. */
export interface Running {
  /** Everything it has printed. */
  readonly output: () => string;
  /** Sends a signal (SIGTERM) and resolves with the exit code, at once when it has ended before. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

/** Starts the real command in a process of its own. */
export function startJobqueue(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const child = spawn(BINARY, args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    output: () => output,
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

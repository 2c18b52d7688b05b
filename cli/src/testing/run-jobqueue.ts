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

/**
 * Runs the real command in a process of its own. The environment is what the test says and nothing else, so that neither a
 * DATABASE_URL nor a kubeconfig of whoever runs the tests takes part.
 */
export async function runJobqueue(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Ended> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_CACHE_HOME: cache, ...options.env };
  const child = spawn(BINARY, args, { env, stdio: ["pipe", "pipe", "pipe"] });
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

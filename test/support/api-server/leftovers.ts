import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning, processName } from "../../cluster/process-identity.ts";

const PREFIX = "jobqueue-api-server_";

/** Makes the data directory of a server. Its name carries the process that owns it: `…_4711-889021_Xy12ab`. */
export function createServerDirectory(): string {
  removeLeftovers();
  return mkdtempSync(join(tmpdir(), `${PREFIX}${processName()}_`));
}

/** Removes directories whose owner is gone (a run that was killed), and ends the servers that still work in them. */
export function removeLeftovers(): void {
  for (const entry of readdirSync(tmpdir())) {
    if (!entry.startsWith(PREFIX) || isRunning(entry.split("_")[1] ?? "")) continue;
    const directory = join(tmpdir(), entry);
    for (const pid of processesOf(directory)) process.kill(pid, "SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Processes whose log is in the directory. Programs of KUBEBUILDER_ASSETS, and kwok, do not end with their parent. */
function processesOf(directory: string): number[] {
  if (!existsSync("/proc/self/fd")) return [];
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const program = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return /etcd|kube-|kwok/.test(program) && readlinkSync(`/proc/${pid}/fd/1`).startsWith(`${directory}/`);
      } catch {
        return false; // it ended, or is another user's
      }
    });
}

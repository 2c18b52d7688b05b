import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { unmountBelow } from "./mounts.ts";
import { isRunning, processName } from "./process-identity.ts";
import { waitFor } from "./wait-for.ts";

/**
 * Runs `work` with a directory for what it makes on the way, on the cache's file system, so that the result can be
 * renamed to where it belongs: nobody ever sees half of it. The directory's name carries this process
 * (`kube_4711-889021_Xy12ab`); directories of processes that are gone are removed here, with the mounts in them and the
 * commands that still work in them: run commands with TMPDIR set to it, so that those can be told.
 */
export async function withScratch<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const parent = cacheDirectory("scratch");
  for (const entry of readdirSync(parent)) {
    if (isRunning(entry.split("_")[1] ?? "")) continue;
    await endCommandsIn(join(parent, entry));
    await remove(join(parent, entry));
  }
  const directory = mkdtempSync(join(parent, `${name}_${processName()}_`));
  try {
    return await work(directory);
  } finally {
    await remove(directory);
  }
}

async function remove(directory: string): Promise<void> {
  await unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function endCommandsIn(directory: string): Promise<void> {
  if (process.platform !== "linux") return;
  await waitFor(
    `what works in ${directory} to end`,
    () => {
      const pids = readdirSync("/proc")
        .filter((entry) => /^\d+$/.test(entry))
        .map(Number)
        .filter((pid) => worksIn(pid, directory));
      for (const pid of pids) process.kill(pid, "SIGKILL");
      return pids.length === 0;
    },
    { timeoutMs: 30_000 },
  );
}

/** Its temporary directory, an argument, its working directory or its root (chroot) lies in the directory. */
function worksIn(pid: number, directory: string): boolean {
  if (pid === process.pid) return false;
  const facts = [
    () => readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`TMPDIR=${directory}`),
    () => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${directory}/`),
    () => `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${directory}/`),
    () => `${readlinkSync(`/proc/${pid}/root`)}/`.startsWith(`${directory}/`),
  ];
  return facts.some((fact) => {
    try {
      return fact();
    } catch {
      return false; // it has ended, or is another user's
    }
  });
}

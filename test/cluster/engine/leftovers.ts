import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { unmountBelow } from "../mounts.ts";
import { waitFor } from "../wait-for.ts";
import { restoreMachineState } from "./machine-state.ts";
import { CGROUP, ENGINE_DATA, ENGINE_PACKAGES, RUN } from "./paths.ts";

/**
 * Clears everything an engine of ours left that is no longer in charge of it, because it was stopped or killed:
 * processes, mounts, control groups, interfaces, packet filter rules, files in /run. Each is known by a name or place
 * that nothing else uses. Images and containers on disk stay.
 */
export async function clearEngineLeftovers(): Promise<void> {
  for (const pid of [...engineProcesses(), ...containerProcesses()]) kill(pid);
  await waitFor("processes of the engine to end", () => engineProcesses().length + containerProcesses().length === 0, {
    timeoutMs: 30_000,
    explain: () => `still there: ${[...engineProcesses(), ...containerProcesses()].join(" ")}`,
  });
  await unmountBelow(RUN, ENGINE_DATA);
  for (const directory of cgroups().toReversed()) removeCgroup(directory);
  await restoreMachineState();
  rmSync(RUN, { recursive: true, force: true });
}

/** Whether something is left of an engine that is not there any more. */
export function hasEngineLeftovers(): boolean {
  return existsSync(RUN) || engineProcesses().length > 0 || cgroups().length > 0;
}

/** Processes that run from our engine's packages: engine, containerd, shims, port proxies. Not a person's `docker`. */
export function engineProcesses(): number[] {
  return processes().filter((pid) => {
    try {
      const program = readlinkSync(`/proc/${pid}/exe`);
      return program.startsWith(`${ENGINE_PACKAGES}/`) && basename(program) !== "docker";
    } catch {
      return false; // it has ended, or is a thread of the kernel
    }
  });
}

/** Processes in our engine's containers. */
function containerProcesses(): number[] {
  return cgroups().flatMap((directory) => {
    try {
      return readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
}

/** Directories of our control group in every hierarchy, parents before children. */
function cgroups(): string[] {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, place = ""]) => join(place, CGROUP));
  return mounts.filter((directory) => existsSync(directory)).flatMap(withChildren);
}

function withChildren(directory: string): string[] {
  const children = readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
  return [directory, ...children.flatMap(withChildren)];
}

function removeCgroup(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // a process that is just ending holds it for a moment; an empty group does no harm and the next run removes it
  }
}

function processes(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // it ended by itself
  }
}

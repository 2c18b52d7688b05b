import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * When a process began, as text without blanks that only compares for equality; undefined when there is none. A process
 * id alone names nothing: the kernel gives it to another process later.
 */
export function startOfProcess(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      // The second field is the command in parentheses and may hold anything; field 22 is the start, in ticks since boot.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  try {
    return (
      execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" })
        .trim()
        .replaceAll(/\W+/g, "_") || undefined
    );
  } catch {
    return undefined;
  }
}

/** A name for this very process that no later process can have: `4711-889021`. */
export function processName(pid: number = process.pid): string {
  return `${pid}-${startOfProcess(pid) ?? "gone"}`;
}

/** Whether the process that once had this name (see `processName`) still runs. */
export function isRunning(name: string): boolean {
  const [pid = "", start] = name.split("-");
  return start !== undefined && startOfProcess(Number(pid)) === start;
}

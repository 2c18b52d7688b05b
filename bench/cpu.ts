import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in ticks of a hundredth of a second. */
const SECONDS_PER_TICK = 0.01;

interface ProcessTimes {
  readonly parent: number;
  readonly own: number;
  /** Of children that have ended and were waited for. */
  readonly ofChildren: number;
}

function timesOf(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, own: utime + stime, ofChildren: cutime + cstime };
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}

/** CPU seconds that processes have used since they began; `undefined` where /proc does not say. */
export function cpuSeconds(pids: readonly number[]): number | undefined {
  const times = pids.map(timesOf);
  if (times.includes(undefined)) return undefined;
  return times.reduce((sum, time) => sum + (time?.own ?? 0), 0) * SECONDS_PER_TICK;
}

/** The same for a process with all its children, those that have ended included. */
export function cpuSecondsWithChildren(pid: number): number | undefined {
  const parent = timesOf(pid);
  if (parent === undefined) return undefined;
  let ticks = parent.own + parent.ofChildren;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const times = timesOf(Number(name));
    if (times?.parent === pid) ticks += times.own;
  }
  return ticks * SECONDS_PER_TICK;
}

import { existsSync, writeFileSync, writeSync } from "node:fs";
import { monotonicMs } from "../clock.ts";
import { signalGroup } from "../handlers/process-groups.ts";
import type { SharedFacts } from "./shared-facts.ts";

/** Kubernetes shows what stands in this file as the message of the container's last state. */
const TERMINATION_LOG = "/dev/termination-log";

/**
 * Writes why the process ends and what it was doing, as one line of JSON on standard error, at once and without the
 * event loop: the main thread may never turn again, and this thread's console goes through it.
 */
export function writePostMortem(reason: string, facts: SharedFacts): void {
  const nowMs = monotonicMs();
  const line = JSON.stringify({
    level: 60,
    time: Date.now(),
    pid: process.pid,
    msg: `worker is hung and ends: ${reason}`,
    loopAgeMs: Math.round(nowMs - facts.get("loopTick")),
    claimLoopAgeMs: Math.round(nowMs - facts.get("claimLoopTick")),
    slotsBusy: facts.get("slotsBusy"),
    slotsStuck: facts.get("slotsStuck"),
    workerId: String(facts.bigint("workerId")),
    running: facts.occupiedSlots().map(({ slot, jobId, startedAtMs }) => ({
      slot,
      jobId: String(jobId),
      runningMs: Math.round(nowMs - startedAtMs),
    })),
    rssMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
  });
  try {
    writeSync(2, `${line}\n`);
    if (process.env["KUBERNETES_SERVICE_HOST"] !== undefined && existsSync(TERMINATION_LOG)) {
      writeFileSync(TERMINATION_LOG, line.slice(0, 4_096));
    }
  } catch {
    // Nobody reads it; the process must end all the same.
  }
}

/** Kills the programs of executable handlers, which do not die with the worker: they have process groups of their own. */
export function killPrograms(facts: SharedFacts): void {
  for (const { processGroup } of facts.occupiedSlots()) {
    if (processGroup > 1) signalGroup(processGroup, "SIGKILL");
  }
}

/** What `below-init.worker.test.ts` runs as process 1: goes below an init as a worker does, and then does as it is told. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker as Thread } from "node:worker_threads";
import { placeOfProcess, runBelowInit } from "../init/below-init.ts";

const [, , task, option] = process.argv;
const place = placeOfProcess();
const ended =
  option === "--stay"
    ? undefined
    : runBelowInit({ ...place, shell: option === "--no-shell" ? undefined : place.shell });
if (ended !== undefined) process.exit(await ended);
process.stdout.write(`pid is 1: ${process.pid === 1}\n`);

/**
 * How many processes of a process group there are, ended ones that nobody collected apart. By group and not by name: a
 * program that has just been forked still has the name of its shell.
 */
function processesOf(group: number): { readonly alive: number; readonly zombies: number } {
  const count = { alive: 0, zombies: 0 };
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, , itsGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(itsGroup) === group) count[state === "Z" ? "zombies" : "alive"]++;
    } catch {
      // It ended while we looked.
    }
  }
  return count;
}

let blocked: Thread | undefined;
switch (task) {
  case "orphan": {
    // A program that leaves two processes of its group behind; they are killed as the executable handler does it.
    const program = spawn("sh", ["-c", "sleep 60 & sleep 60 & exit 0"], { detached: true, stdio: "ignore" });
    await once(program, "exit");
    const group = program.pid ?? 0;
    process.kill(-group, "SIGKILL");
    while (processesOf(group).alive > 0) await sleep(10);
    for (let tries = 0; tries < 50 && processesOf(group).zombies > 0; tries++) await sleep(10);
    process.stdout.write(`zombies: ${processesOf(group).zombies}\n`);
    break;
  }
  case "kill-itself":
    // As the watchdog thread does it: the main thread does not turn.
    blocked = new Thread("process.kill(process.pid, 'SIGKILL')", { eval: true });
    for (const endMs = performance.now() + 1_500; performance.now() < endMs;);
    break;
  case "drain": {
    let signals = 0;
    const second = Promise.withResolvers<void>();
    process.on("SIGTERM", (signal) => {
      process.stdout.write(`${signal}\n`);
      signals++;
      if (signals === 1) process.kill(1, "SIGTERM");
      else second.resolve();
    });
    process.kill(1, "SIGTERM");
    // Handlers of signals do not keep a process alive.
    const alive = setInterval(() => {}, 1_000);
    await second.promise;
    clearInterval(alive);
    process.exitCode = 7;
    break;
  }
  case undefined:
  default:
    throw new Error(`no task ${task}`);
}
await blocked?.terminate();

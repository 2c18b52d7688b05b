import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as system } from "node:os";

/**
 * A worker must not be process 1 of its container, for two reasons:
 *
 * - the kernel ignores every signal that process 1 gets from inside, SIGKILL too, so the watchdog could not end a worker
 *   whose event loop is blocked (measured: the process lives on after `kill -9` of itself);
 * - whoever is process 1 inherits the orphans of programs and must collect them, and Node collects only its own children:
 *   they would stay as zombies until the container's limit of processes is reached.
 *
 * So process 1 becomes a shell of one line that starts the worker again, passes signals on, collects orphans (`wait` of
 * any POSIX shell does) and ends as the worker ends. Where the image has no shell, this process stays and starts the
 * worker itself: the first reason is dealt with, orphans remain (a shell or tini in the image, or
 * `shareProcessNamespace` of the pod, collects them). Under an init that is there already nothing happens.
 */
const INIT_SCRIPT = [
  '"$@" &',
  "child=$!",
  `trap 'kill -TERM "$child" 2>/dev/null' TERM`,
  `trap 'kill -INT "$child" 2>/dev/null' INT`,
  // A signal interrupts `wait`, so it is repeated while the child is there; the last answer is the child's own.
  'while wait "$child"; code=$?; kill -0 "$child" 2>/dev/null; do :; done',
  'exit "$code"',
].join("\n");

/** The shell every Debian, Alpine and Red Hat image has. */
const SHELL = "/bin/sh";

/** Where this process stands; the arguments of tests. */
export interface ProcessPlace {
  readonly pid: number;
  /** The shell that can be process 1, if there is one. */
  readonly shell: string | undefined;
}

/** The place of this process. */
export function placeOfProcess(): ProcessPlace {
  return { pid: process.pid, shell: isExecutable(SHELL) ? SHELL : undefined };
}

/**
 * Makes sure that what follows does not run as process 1. Returns `undefined` where it does not; else it does not return
 * (the shell takes this process over), or resolves with the exit code of the worker that it started.
 */
export function runBelowInit({ pid, shell }: ProcessPlace): Promise<number> | undefined {
  if (pid !== 1) return undefined;
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  if (shell !== undefined && process.execve !== undefined) {
    process.execve(shell, ["sh", "-c", INIT_SCRIPT, "init", ...command], process.env);
  }
  return runAsChild(command);
}

/** Runs a command as a child, passes signals on, and resolves with its exit code (128 and the signal's number, like a shell). */
async function runAsChild([program, ...args]: readonly string[]): Promise<number> {
  const child = spawn(program as string, args, { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + system.signals[signal as NodeJS.Signals]);
    });
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

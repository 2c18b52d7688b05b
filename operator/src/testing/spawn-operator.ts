import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { OperatorOptions } from "../main.ts";
import { Signals } from "../runtime/testing/signals.ts";

/** Times other than those of `times.ts`. */
export type OperatorTimes = Pick<OperatorOptions, "leaseTimes" | "reflectorTimes">;

/** An operator as a process of its own. */
export interface OperatorProcess {
  /** The messages of its log. */
  readonly log: Signals<string>;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  /** Ends it at once and waits until it is gone. */
  readonly end: () => Promise<void>;
}

/** What a test says about the process. */
export interface SpawnOptions {
  readonly times?: OperatorTimes;
  /** Told of each line of its log. */
  readonly onLine?: (line: string) => void;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a real process that works in one namespace, with the times of tests. */
export function spawnOperator(
  kubeconfig: string,
  namespace: string,
  identity: string,
  { times = {}, onLine, env }: SpawnOptions = {},
): OperatorProcess {
  const program = fileURLToPath(new URL("operator-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, kubeconfig, namespace, identity, JSON.stringify(times)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  const exited = (async () => {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return signal ?? `exit code ${code}`;
  })();
  const log = new Signals<string>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (process.env["TEST_LOG"]) process.stdout.write(`${line}\n`);
    onLine?.(line);
    log.tell((JSON.parse(line) as { msg: string }).msg);
  });
  return {
    log,
    kill: (signal) => void child.kill(signal),
    exited,
    end: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

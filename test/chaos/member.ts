import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WorkerProcess } from "../../worker/src/testing/worker-process.ts";

/** Seconds; short, so that a run sees many leases lapse. */
export const LEASE_SECONDS = 4;

/** A worker of a run and the name of its log. */
export interface Member {
  readonly name: string;
  readonly process: WorkerProcess;
}

/** How one is started. */
export interface MemberOptions {
  readonly name: string;
  readonly directory: string;
  readonly databaseUrl: string;
  readonly queues: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the product's own worker with handlers that say what they do. */
export function startMember({ name, directory, databaseUrl, queues, env }: MemberOptions): Member {
  const process = new WorkerProcess({
    databaseUrl,
    main: fileURLToPath(new URL("worker-main.ts", import.meta.url)),
    handlers: fileURLToPath(new URL("handlers.ts", import.meta.url)),
    queues,
    env: {
      ...env,
      CHAOS_PROCESS: name,
      CHAOS_DIRECTORY: directory,
      JOBQUEUE_LEASE_SECONDS: String(LEASE_SECONDS),
      JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "2",
      JOBQUEUE_SLOTS: "8",
      JOBQUEUE_PREFETCH: "20",
    },
  });
  return { name, process };
}

/** Waits for the end of one and keeps its log; a sentence when it ended on its own and not in good order. */
export async function endOf({ name, process }: Member, directory: string): Promise<string | undefined> {
  const { code, signal } = await process.exited;
  appendFileSync(join(directory, `${name}.log`), process.transcript());
  return signal === null && code !== 0 ? `${name} exited with ${String(code)}` : undefined;
}

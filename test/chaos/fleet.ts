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

/** Where workers find their store, and what they serve. */
export interface FleetOptions {
  readonly directory: string;
  readonly queues: readonly string[];
  readonly size: number;
  /** URL for the n-th worker. */
  readonly urlOf: (n: number) => string;
}

/** So many workers at all times: one that ended is replaced, as a Deployment would. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #members = new Set<Member>();
  readonly #ends: Promise<void>[] = [];
  #started = 0;
  #closing = false;
  /** How each worker that ended on its own did. */
  readonly exits: string[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return [...this.#members].filter(({ process }) => process.isRunning);
  }

  async start(): Promise<void> {
    for (let n = 0; n < this.#options.size; n++) this.#add();
    await Promise.all(this.members.map(({ process }) => process.logged("worker started")));
  }

  /** Drains all workers and waits until they are gone. */
  async stop(): Promise<void> {
    this.#closing = true;
    for (const { process } of this.members) {
      process.signal("SIGCONT");
      process.signal("SIGTERM");
    }
    await Promise.all(this.#ends);
  }

  /** Ends all at once. */
  async kill(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#members].map(({ process }) => process.kill()));
  }

  #add(): void {
    const { directory, queues, urlOf } = this.#options;
    const n = ++this.#started;
    const name = `worker-${n}`;
    const process = new WorkerProcess({
      databaseUrl: urlOf(n),
      main: fileURLToPath(new URL("worker-main.ts", import.meta.url)),
      handlers: fileURLToPath(new URL("handlers.ts", import.meta.url)),
      queues: queues.join(","),
      env: {
        CHAOS_PROCESS: name,
        CHAOS_DIRECTORY: directory,
        JOBQUEUE_LEASE_SECONDS: String(LEASE_SECONDS),
        JOBQUEUE_LOOP_STALL_BUDGET_SECONDS: "2",
        JOBQUEUE_SLOTS: "8",
        JOBQUEUE_PREFETCH: "20",
      },
    });
    const member: Member = { name, process };
    this.#members.add(member);
    this.#ends.push(this.#ended(member));
  }

  async #ended(member: Member): Promise<void> {
    const { code, signal } = await member.process.exited;
    appendFileSync(join(this.#options.directory, `${member.name}.log`), member.process.transcript());
    this.#members.delete(member);
    if (signal === null && code !== 0) this.exits.push(`${member.name} exited with ${String(code)}`);
    if (!this.#closing) this.#add();
  }
}

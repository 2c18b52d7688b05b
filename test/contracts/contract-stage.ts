import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { enqueue, type NewJob } from "@jobqueue/store";
import { AdminUnderTest } from "../../admin/src/testing/admin-under-test.ts";
import { eventually } from "../support/eventually.ts";
import { WorkerProcess, type WorkerProcessOptions } from "../../worker/src/testing/worker-process.ts";

/** What a program said, and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real admin server on a real store, real worker processes, and other systems' client programs against them. */
export class ContractStage {
  readonly admin: AdminUnderTest;
  /** Files of one test file. */
  readonly directory = mkdtempSync(join(tmpdir(), "jobqueue-contract-"));
  readonly #workers: WorkerProcess[] = [];

  private constructor(admin: AdminUnderTest) {
    this.admin = admin;
  }

  static async start(adminUrl: string): Promise<ContractStage> {
    return new ContractStage(await AdminUnderTest.start(adminUrl, ["--auth", "keys"]));
  }

  /** Starts a worker process for these queues, in this order, and waits until it works. */
  async worker(queues: string, options: Partial<WorkerProcessOptions> = {}): Promise<WorkerProcess> {
    const worker = new WorkerProcess({ databaseUrl: this.admin.store.url, queues, ...options });
    this.#workers.push(worker);
    // On a machine that is busy with other tests a process takes its time to start.
    await eventually(
      "the worker to start",
      async () => worker.entries("worker started")[0] ?? (worker.isRunning ? undefined : gone(worker)),
      {
        timeoutMs: 90_000,
      },
    );
    return worker;
  }

  async enqueue(job: NewJob): Promise<string> {
    return (await enqueue(this.admin.store.database, job)).id;
  }

  /** Waits until a job is in a state. */
  async jobIn(state: string, id: string): Promise<void> {
    await eventually(`job ${id} to be ${state}`, async () => {
      const rows = await this.admin.store.database.query("select from jobqueue.v_jobs where id = $1 and state = $2", [
        id,
        state,
      ]);
      return rows.length > 0 ? true : undefined;
    });
  }

  /** A file that handlers may wait for. */
  file(name: string): { readonly path: string; readonly write: () => void } {
    const path = join(this.directory, name);
    return {
      path,
      write: () => {
        writeFileSync(path, "");
      },
    };
  }

  /** Runs a client's script. Its variables are what the client's documentation has the reader set. */
  async run(program: "bash" | "python3", script: string, env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const file = join(this.directory, `client-${crypto.randomUUID()}`);
    writeFileSync(file, script);
    // Debian's own Python: the one that has its packages.
    const path = program === "python3" ? "/usr/bin:/bin" : process.env["PATH"];
    const child = promisified(program, [file], { ...env, PATH: path ?? "" });
    return child;
  }

  /** Ends the workers and forgets everything: what one test left would sweep and claim in the next. */
  async clear(): Promise<void> {
    for (const worker of this.#workers) worker.signal("SIGKILL");
    await Promise.all(this.#workers.splice(0).map(async (worker) => worker.exited));
    await this.admin.store.clear();
  }

  async close(): Promise<void> {
    await this.clear();
    await this.admin.close();
    rmSync(this.directory, { recursive: true });
  }
}

function gone(worker: WorkerProcess): never {
  throw new Error(`the worker ended:\n${worker.transcript()}`);
}

async function promisified(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Said> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 50_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Database, enqueueMany, getJob, type Job, type NewJob, parseStoreUrl } from "@jobqueue/store";
import { createTestDatabase, type TestDatabase } from "@jobqueue/test/support/postgres/database.ts";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { WorkerProcess, type WorkerProcessOptions } from "./worker-process.ts";

/** What a test needs around its workers: a database of its own, a directory, and an end to everything it started. */
export class Stage {
  readonly database: Database;
  readonly databaseUrl: string;
  readonly directory: string;
  readonly #testDatabase: TestDatabase | undefined;
  readonly #workers: WorkerProcess[] = [];

  private constructor(databaseUrl: string, testDatabase: TestDatabase | undefined) {
    this.databaseUrl = databaseUrl;
    this.#testDatabase = testDatabase;
    this.database = new Database({
      connection: parseStoreUrl(databaseUrl),
      applicationName: "test",
      connectTimeoutMs: 2_000,
    });
    this.directory = mkdtempSync(join(tmpdir(), "jobqueue-worker-test-"));
  }

  /** A stage on a new database of a server. */
  static async create(adminUrl: string): Promise<Stage> {
    const testDatabase = await createTestDatabase(adminUrl);
    return new Stage(testDatabase.url, testDatabase);
  }

  /** Starts a worker. */
  spawn(options: Omit<WorkerProcessOptions, "databaseUrl"> = {}): WorkerProcess {
    const worker = new WorkerProcess({ databaseUrl: this.databaseUrl, ...options });
    this.#workers.push(worker);
    return worker;
  }

  /** Starts a worker and waits until it works. */
  async worker(options: Omit<WorkerProcessOptions, "databaseUrl"> = {}): Promise<WorkerProcess> {
    const worker = this.spawn(options);
    await worker.logged("worker started");
    return worker;
  }

  /** Enqueues jobs in queue `default` unless they say otherwise; returns their ids. */
  async enqueue(...jobs: readonly (Omit<NewJob, "queue"> & { readonly queue?: string })[]): Promise<string[]> {
    const enqueued = await enqueueMany(
      this.database,
      jobs.map((job) => ({ queue: "default", ...job })),
    );
    return enqueued.map(({ id }) => id);
  }

  /** Waits until a job is in a state. */
  async jobIn(state: Job["state"], id: string | undefined, timeoutMs = 30_000): Promise<Job> {
    return eventually(
      `job ${id} ${state}`,
      async () => {
        const job = await getJob(this.database, id ?? "");
        if (job?.state !== state) throw new Error(`it is ${JSON.stringify(job)}`);
        return job;
      },
      { timeoutMs, everyMs: 50 },
    );
  }

  /** Waits until all of these jobs are completed, dead or cancelled. */
  async ended(ids: readonly string[], timeoutMs = 30_000): Promise<Job[]> {
    await eventually(
      `${ids.length} jobs to end`,
      async () => {
        const [row] = await this.database.query<{ left: string }>(
          "select count(*) as left from jobqueue.jobs where id = any($1::bigint[])",
          [ids],
        );
        if (row?.left !== "0") throw new Error(`${row?.left} are left`);
        return true;
      },
      { timeoutMs, everyMs: 50 },
    );
    const jobs = await Promise.all(ids.map((id) => getJob(this.database, id)));
    return jobs.filter((job) => job !== undefined);
  }

  /** Path of a file in the stage's directory. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Writes a file into the stage's directory; returns its path. */
  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** Makes a file that a handler waits for. */
  touch(name: string): void {
    writeFileSync(this.path(name), "");
  }

  /** Ends all workers and removes everything. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
    await this.database.close();
    await this.#testDatabase?.drop();
    if (existsSync(this.directory)) rmSync(this.directory, { recursive: true });
  }
}

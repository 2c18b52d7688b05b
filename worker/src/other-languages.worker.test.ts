import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { listWorkers } from "@jobqueue/store";
import { forEachPostgres } from "@jobqueue/test/support/postgres/database.ts";
import { eventually } from "@jobqueue/test/support/eventually.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Stage } from "./testing/stage.ts";
import { LONG_LEASE } from "./testing/worker-process.ts";

const LANGUAGES = {
  // The system's: the package of psycopg belongs to it, whatever other Python is on the PATH.
  python: { command: "/usr/bin/python3", file: "worker.py" },
  bash: { command: "bash", file: "worker.sh" },
} as const;

/** A worker of `docs/guides/examples`, in a process group of its own. */
class ExampleWorker {
  readonly #child: ChildProcess;
  readonly closed: Promise<unknown>;
  output = "";

  constructor(language: keyof typeof LANGUAGES, env: Readonly<Record<string, string>>) {
    const { command, file } = LANGUAGES[language];
    const path = fileURLToPath(new URL(`../../docs/guides/examples/${file}`, import.meta.url));
    this.#child = spawn(command, [path], { detached: true, env: { PATH: process.env["PATH"], ...env } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.closed = once(this.#child, "close");
  }

  /** Signals all its processes: the heart beats in one of them. */
  signal(signal: NodeJS.Signals): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-(this.#child.pid ?? 0), signal);
  }

  /** Asks the worker itself to stop. */
  stop(): void {
    this.#child.kill("SIGTERM");
  }

  async said(text: string): Promise<void> {
    await eventually(`the worker to say "${text}"`, async () => {
      if (!this.output.includes(text)) throw new Error(`it said:\n${this.output}`);
      return true;
    });
  }
}

forEachPostgres(({ adminUrl }) => {
  let stage: Stage;
  let started: ExampleWorker[];
  beforeEach(async () => {
    stage = await Stage.create(adminUrl);
    started = [];
    writeFileSync(
      stage.path("nap.mjs"),
      `export default { nap: ({ seconds }) => new Promise((done) => setTimeout(done, seconds * 1000, { by: "typescript", pid: process.pid })) };`,
    );
  });
  afterEach(async () => {
    for (const worker of started) worker.signal("SIGKILL");
    await Promise.all(started.map(async (worker) => worker.closed));
    await stage.end();
  });

  function start(language: keyof typeof LANGUAGES, leaseSeconds = "30"): ExampleWorker {
    const worker = new ExampleWorker(language, { DATABASE_URL: stage.databaseUrl, LEASE_SECONDS: leaseSeconds });
    started.push(worker);
    return worker;
  }

  async function registered(version: string): Promise<void> {
    await eventually(`a worker in ${version}`, async () =>
      (await listWorkers(stage.database)).find((worker) => worker.version === version),
    );
  }

  it("workers in Python, bash and TypeScript share one queue, and each job is done once", async () => {
    const [python, bash] = [start("python"), start("bash")];
    await Promise.all([registered("python"), registered("bash")]);
    await stage.worker({
      handlers: stage.path("nap.mjs"),
      env: { ...LONG_LEASE, JOBQUEUE_SLOTS: "1", JOBQUEUE_PREFETCH: "0" },
    });
    const ids = await stage.enqueue(...Array.from({ length: 24 }, () => ({ kind: "nap", payload: { seconds: 0.2 } })));
    const jobs = await Promise.all(ids.map(async (id) => stage.jobIn("completed", id)));
    expect(new Set(jobs.map((job) => (job.result as { by: string }).by))).toEqual(
      new Set(["python", "bash", "typescript"]),
    );
    expect(jobs.filter((job) => job.attempt !== 1 || job.recoveries !== 0)).toEqual([]);
    // Asked to stop they leave the store.
    python.stop();
    bash.stop();
    await Promise.all([python.closed, bash.closed]);
    expect((await listWorkers(stage.database)).map((worker) => worker.version)).not.toContain("python");
    expect((await listWorkers(stage.database)).map((worker) => worker.version)).not.toContain("bash");
  });

  it.each(["python", "bash"] as const)(
    "G5: a worker in %s that was stopped for longer than its lease changes nothing, and says so",
    async (language) => {
      const zombie = start(language, "3");
      await registered(language);
      const [id] = await stage.enqueue({ kind: "nap", payload: { seconds: 2 } });
      await stage.jobIn("running", id);
      zombie.signal("SIGSTOP");
      await stage.worker({ handlers: stage.path("nap.mjs"), env: LONG_LEASE });
      const job = await stage.jobIn("completed", id);
      expect(job).toMatchObject({ recoveries: 1, attempt: 1, result: { by: "typescript" } });
      zombie.signal("SIGCONT");
      await zombie.said(`job ${id}: lease lost, outcome refused`);
      expect(await stage.jobIn("completed", id)).toEqual(job);
    },
  );

  it.each([
    { language: "python", error: /KeyError|TypeError/ },
    { language: "bash", error: /sleep: / },
  ] as const)(
    "a worker in $language fails what its handler cannot do, and gives unknown kinds back",
    async ({ language, error }) => {
      start(language);
      const [bad, unknown] = await stage.enqueue(
        { kind: "nap", payload: { seconds: "many" }, maxAttempts: 1 },
        { kind: "from-the-future" },
      );
      const job = await stage.jobIn("dead", bad);
      expect(job.lastError).toMatch(error);
      await eventually("the unknown one to be tried and given back", async () => {
        // It is claimed again at once, so it may be running when this looks.
        const returned = await stage.database.query(
          `select from jobqueue.jobs where id = $1 and last_lease_token is not null
             and attempt = case state when 1 then 1 else 0 end`,
          [unknown],
        );
        return returned.length > 0 || undefined;
      });
    },
  );
});

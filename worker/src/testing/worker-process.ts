import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A line of the worker's log. */
export type LogEntry = Readonly<Record<string, unknown>> & { readonly msg: string };

/** How a worker process is started. */
export interface WorkerProcessOptions {
  readonly databaseUrl: string;
  readonly queues?: string;
  /** Handler files; the handlers of `handlers.ts` beside this file when absent. */
  readonly handlers?: string;
  /** More variables, such as JOBQUEUE_SLOTS. */
  readonly env?: Readonly<Record<string, string>>;
  /** The program; the sources when absent. */
  readonly main?: string;
}

/** For workers that must keep their lease however slow the machine is. */
export const LONG_LEASE = { JOBQUEUE_LEASE_SECONDS: "30" };

/** Settings that make tests fast: short leases, frequent sweeps. */
const FAST = {
  JOBQUEUE_LEASE_SECONDS: "4",
  JOBQUEUE_SWEEP_SECONDS: "0.5",
  JOBQUEUE_DRAIN_TIMEOUT_SECONDS: "10",
  JOBQUEUE_ABORT_GRACE_SECONDS: "1",
  JOBQUEUE_HTTP_PORT: "0",
};

/** The handlers of `handlers.ts`, as a value of JOBQUEUE_HANDLERS. */
export const TEST_HANDLERS = fileURLToPath(new URL("handlers.ts", import.meta.url));

/** How long to wait for a line of the log, milliseconds. */
const LOG_TIMEOUT_MS = 30_000;

/** A real worker process. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #entries: LogEntry[] = [];
  readonly #waiting = new Set<() => void>();
  #stderr = "";
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  constructor(options: WorkerProcessOptions) {
    this.#child = spawn(process.execPath, [options.main ?? fileURLToPath(new URL("main.ts", import.meta.url))], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        // Halves the time a process takes to start from the sources.
        NODE_COMPILE_CACHE: join(tmpdir(), "jobqueue-compile-cache"),
        ...FAST,
        DATABASE_URL: options.databaseUrl,
        JOBQUEUE_QUEUES: options.queues ?? "default",
        JOBQUEUE_HANDLERS: options.handlers ?? TEST_HANDLERS,
        ...options.env,
      },
    });
    let rest = "";
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#entries.push(JSON.parse(line) as LogEntry);
      for (const look of this.#waiting) look();
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.exited = once(this.#child, "close").then(([code, signal]) => {
      for (const look of this.#waiting) look();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  /** Starts a process and waits until it says that it works. */
  static async start(options: WorkerProcessOptions): Promise<WorkerProcess> {
    const worker = new WorkerProcess(options);
    await worker.logged("worker started");
    return worker;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** All lines so far with this message. */
  entries(message: string): LogEntry[] {
    return this.#entries.filter((entry) => entry.msg === message);
  }

  /** Resolves with the n-th line (from 1) that has this message; rejects when the process ends without it. */
  async logged(message: string, nth = 1): Promise<LogEntry> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const fail = (why: string): void => {
        stop();
        reject(new Error(`${why}: no "${message}" (${nth}) in the log:\n${this.transcript()}`));
      };
      const look = (): void => {
        const entry = this.entries(message)[nth - 1];
        if (entry !== undefined) {
          stop();
          resolve(entry);
        } else if (!this.isRunning) {
          fail("the worker ended");
        }
      };
      const timer = setTimeout(() => {
        fail(`after ${LOG_TIMEOUT_MS} ms`);
      }, LOG_TIMEOUT_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Everything it wrote, for messages of failed tests. */
  transcript(): string {
    return `${this.#entries.map((entry) => JSON.stringify(entry)).join("\n")}\n${this.#stderr}`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks one of the probes. */
  async probe(path: "/livez" | "/readyz" | "/metrics"): Promise<{ readonly status: number; readonly text: string }> {
    const { port } = await this.logged("worker started");
    const response = await fetch(`http://127.0.0.1:${String(port)}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Value of a metric; `series` is its name with labels as in the scrape. */
  async metric(series: string): Promise<number | undefined> {
    const { text } = await this.probe("/metrics");
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  }

  /** Ends it whatever state it is in. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}

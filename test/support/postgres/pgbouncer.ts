import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { freePort } from "../free-port.ts";
import { eventually } from "../eventually.ts";
import { connect } from "node:net";

/** The program does not run as root. */
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;

/** A PgBouncer of our own, in transaction mode, before a server of ours. */
export class PgBouncer {
  readonly port: number;
  readonly #target: URL;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(target: string, port: number, directory: string) {
    this.#target = new URL(target);
    this.port = port;
    this.#directory = directory;
  }

  /** Whether the machine has it (Debian: package pgbouncer). */
  static get isInstalled(): boolean {
    return spawnSync(program(), ["--version"]).status === 0;
  }

  /** Starts one that shares `poolSize` server connections among its clients. `settings` are lines of its configuration. */
  static async create(targetUrl: string, settings: Readonly<Record<string, string>> = {}): Promise<PgBouncer> {
    const directory = mkdtempSync(join(tmpdir(), "jobqueue-pgbouncer-"));
    const bouncer = new PgBouncer(targetUrl, await freePort(), directory);
    const lines = {
      listen_addr: "127.0.0.1",
      listen_port: String(bouncer.port),
      unix_socket_dir: "",
      auth_type: "any",
      pool_mode: "transaction",
      default_pool_size: "8",
      admin_users: "postgres",
      ...settings,
    };
    const file = join(directory, "pgbouncer.ini");
    writeFileSync(
      file,
      `[databases]\n* = host=127.0.0.1 port=${bouncer.#target.port} user=postgres\n[pgbouncer]\n${Object.entries(lines)
        .map(([key, value]) => `${key} = ${value}`)
        .join("\n")}\n`,
    );
    chmodSync(directory, 0o755);
    if (asRoot) chownSync(directory, NOBODY, NOBODY);
    await bouncer.start();
    return bouncer;
  }

  /** URL of a database of the target through it; of its console with the database `pgbouncer`. */
  url(database = this.#target.pathname.slice(1)): string {
    const url = new URL(this.#target);
    url.port = String(this.port);
    url.pathname = `/${database}`;
    return url.href;
  }

  async start(): Promise<void> {
    this.#process = spawn(program(), ["-q", join(this.#directory, "pgbouncer.ini")], {
      ...(asRoot ? { uid: NOBODY, gid: NOBODY } : {}),
      stdio: "ignore",
      cwd: this.#directory,
    });
    await eventually("pgbouncer to listen", async () => (await listens(this.port)) || undefined, {
      timeoutMs: 10_000,
      everyMs: 20,
    });
  }

  /** Ends it at once; clients are disconnected. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Runs a command of its administration console, such as `pause`. */
  async console(command: "pause" | "resume"): Promise<void> {
    const client = new Client({ connectionString: this.url("pgbouncer") });
    await client.connect();
    try {
      await client.query(command);
    } finally {
      await client.end();
    }
  }

  /** Ends it and removes what it wrote. */
  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Debian keeps it where only root looks. */
function program(): string {
  return existsSync("/usr/sbin/pgbouncer") ? "/usr/sbin/pgbouncer" : "pgbouncer";
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

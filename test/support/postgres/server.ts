import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { freePort } from "../free-port.ts";

/** Majors of PostgreSQL whose binaries the npm packages of this repository bring; tests run on each of them. */
export const POSTGRES_MAJORS = [15, 18] as const;
export type PostgresMajor = (typeof POSTGRES_MAJORS)[number];

/** Where Linux distributions put libfaketime. */
const FAKETIME = [
  `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`,
  "/usr/lib64/faketime/libfaketimeMT.so.1",
  "/usr/lib/faketime/libfaketimeMT.so.1",
] as const;

/** How much of a server's log is kept to look for its readiness, and to show when it ends early, characters. */
const LOG_LENGTH = 20_000;

/** The server refuses to run as root, so root runs it as `nobody`. */
const NOBODY = 65_534;
const asRoot = process.getuid?.() === 0;
const identity = asRoot ? { uid: NOBODY, gid: NOBODY } : {};

/**
 * The server's binaries as a tree that any user of the machine can read: the npm package lacks the symbolic links of
 * its libraries (an install script would make them, and none may run), and it may lie below a home that others cannot
 * enter. Made once per version, by rename, so two runs at once cannot see half of it.
 */
export function postgresBinaries(major: PostgresMajor): string {
  const packageName = `postgres-${major}-${process.platform}-${process.arch}`;
  let manifest: string;
  try {
    manifest = join(dirname(createRequire(import.meta.url).resolve(packageName)), "..", "package.json");
  } catch (cause) {
    throw new Error(
      `No PostgreSQL ${major} for ${process.platform}/${process.arch} came with npm; set DATABASE_URL to use a server of yours`,
      { cause },
    );
  }
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const target = join(tmpdir(), `jobqueue-postgres-${version}`);
  if (existsSync(target)) return target;
  const fresh = mkdtempSync(`${target}-`);
  cpSync(join(dirname(manifest), "native"), fresh, { recursive: true });
  const links = JSON.parse(readFileSync(join(fresh, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const path = join(fresh, link.target.replace(/^native\//, ""));
    if (!existsSync(path)) symlinkSync(basename(link.source), path);
  }
  spawnSync("chmod", ["-R", "a+rX", fresh]);
  try {
    renameSync(fresh, target);
  } catch {
    rmSync(fresh, { recursive: true, force: true }); // another run was first
  }
  return target;
}

/**
 * A real PostgreSQL server of our own: a temporary data directory, a free loopback port, trust authentication.
 * `fsync` is off by default because tests kill processes, not the machine.
 */
export class PostgresServer {
  readonly major: PostgresMajor;
  readonly port: number;
  readonly directory: string;
  readonly #binaries: string;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #clock: string | undefined;

  private constructor(major: PostgresMajor, port: number, directory: string, settings: Record<string, string>) {
    this.major = major;
    this.port = port;
    this.directory = directory;
    this.#binaries = postgresBinaries(major);
    this.#settings = settings;
  }

  /**
   * Makes a data directory and starts a server on it. `settings` are configuration parameters, such as `ssl`; `parent` is where
   * its directory is made, such as a small filesystem.
   */
  static async create(
    major: PostgresMajor,
    settings: Record<string, string> = {},
    parent: string = tmpdir(),
  ): Promise<PostgresServer> {
    const directory = mkdtempSync(join(parent, `jobqueue-pg${major}-`));
    const server = new PostgresServer(major, await freePort(), directory, settings);
    if (asRoot) chownSync(directory, NOBODY, NOBODY);
    const made = spawnSync(
      join(server.#binaries, "bin/initdb"),
      ["-D", join(directory, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
      { ...identity, encoding: "utf8", env: server.#environment(), cwd: directory },
    );
    if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${made.stdout}${made.error?.message ?? ""}`);
    await server.start();
    return server;
  }

  /**
   * Makes a hot standby of this server, which is stopped for a moment to be copied. `pg_promote()` on it makes it a primary; the old
   * one can come back read-only by `followOnNextStart`.
   */
  async createStandby(settings: Record<string, string> = {}): Promise<PostgresServer> {
    await this.stop();
    const directory = mkdtempSync(join(tmpdir(), `jobqueue-pg${this.major}-standby-`));
    if (asRoot) chownSync(directory, NOBODY, NOBODY);
    const standby = new PostgresServer(this.major, await freePort(), directory, {
      primary_conninfo: `host=127.0.0.1 port=${this.port} user=postgres application_name=standby sslmode=disable`,
      ...settings,
    });
    const data = join(directory, "data");
    const copied = spawnSync("cp", ["-a", join(this.directory, "data"), data], { encoding: "utf8" });
    if (copied.status !== 0) throw new Error(`the data directory cannot be copied: ${copied.stderr}`);
    standby.followOnNextStart();
    await this.start();
    await standby.start();
    return standby;
  }

  /** Makes a standby the primary, and waits until it is. */
  promote(): void {
    const { status, stderr } = spawnSync(
      join(this.#binaries, "bin/pg_ctl"),
      ["promote", "-w", "-D", join(this.directory, "data")],
      { ...identity, env: this.#environment(), cwd: this.directory, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`the standby cannot be promoted: ${stderr}`);
  }

  /** From its next start on the server only follows: a standby, or an old primary that came back read-only. */
  followOnNextStart(): void {
    const signal = join(this.directory, "data/standby.signal");
    writeFileSync(signal, "");
    if (asRoot) chownSync(signal, NOBODY, NOBODY);
  }

  /** Connection URL of a database of this server. */
  url(database = "postgres", user = "postgres"): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}?sslmode=disable`;
  }

  /** Starts the server and waits until it accepts connections. */
  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      fsync: "off",
      full_page_writes: "off",
      max_connections: "300",
      shared_buffers: "128MB",
      // Lets tests prove in which order transactions committed.
      track_commit_timestamp: "on",
      ...this.#settings,
    };
    const child = spawn(
      join(this.#binaries, "bin/postgres"),
      [
        "-D",
        join(this.directory, "data"),
        ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      ],
      { ...identity, env: this.#environment(), cwd: this.directory, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = child;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      child.stderr.on("data", (chunk: Buffer) => {
        // Only the end: while a server recovers, every client that tries again adds lines before the one that is waited for.
        log = (log + chunk.toString()).slice(-LOG_LENGTH);
        if (/database system is ready to accept (read-only )?connections/.test(log)) resolve();
      });
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`postgres ${this.major} exited with ${code}: ${log}`));
      });
    });
  }

  /** Stops the server: `fast` disconnects clients, `immediate` is a crash. Does nothing when it is not running. */
  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await exited;
  }

  /**
   * Sets the server's clock off by so many seconds from its next start on, by libfaketime (Debian: package libfaketime). Its
   * processes alone see it.
   */
  setClock(offsetSeconds: number): void {
    const library = FAKETIME.find((path) => existsSync(path));
    if (library === undefined) throw new Error("libfaketime is missing: install the package libfaketime");
    this.#clock = `${library} ${offsetSeconds}`;
  }

  async restart(mode: "fast" | "immediate" = "fast"): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  /** Stops the server and removes its data. */
  async destroy(): Promise<void> {
    await this.stop("immediate");
    mkdirSync(this.directory, { recursive: true });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #environment(): NodeJS.ProcessEnv {
    const [library, seconds] = this.#clock?.split(" ") ?? [];
    return {
      PATH: process.env["PATH"],
      LC_ALL: "C",
      TZ: "UTC",
      LD_LIBRARY_PATH: join(this.#binaries, "lib"),
      ...(library === undefined
        ? {}
        : {
            LD_PRELOAD: library,
            FAKETIME: `${Number(seconds) < 0 ? "" : "+"}${seconds}s`,
            FAKETIME_DONT_RESET: "1",
            FAKETIME_DONT_FAKE_MONOTONIC: "1",
          }),
    };
  }
}

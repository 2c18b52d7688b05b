import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Database, parseStoreUrl, quoteIdentifier } from "../store/src/index.ts";
import { type PostgresMajor, PostgresServer } from "../test/support/postgres/server.ts";
import { cpuSecondsWithChildren } from "./cpu.ts";

/** The server's settings, the same for every contender: durable, and large enough that no checkpoint falls into a round. */
export const SERVER_SETTINGS = {
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  shared_buffers: "1GB",
  // A hundred idle workers of B7 hold three connections each.
  max_connections: "500",
  max_wal_size: "8GB",
  checkpoint_timeout: "30min",
  // Tells when rows were committed, so that no contender need be asked. Costs everybody 10 bytes per commit.
  track_commit_timestamp: "on",
  // Counts statements (B7).
  shared_preload_libraries: "pg_stat_statements",
} as const;

/** The Postgres that all contenders share, each run in a new database of its own. */
export class BenchServer {
  readonly #postgres: PostgresServer;
  readonly #pid: number;
  readonly admin: Database;
  #databases = 0;

  private constructor(postgres: PostgresServer) {
    this.#postgres = postgres;
    this.#pid = Number(readFileSync(join(postgres.directory, "data/postmaster.pid"), "utf8").split("\n")[0]);
    this.admin = this.connect(postgres.url());
  }

  static async start(major: PostgresMajor): Promise<BenchServer> {
    const server = new BenchServer(await PostgresServer.create(major, { ...SERVER_SETTINGS }));
    await server.admin.query("create extension pg_stat_statements");
    return server;
  }

  /** A connection of the bench itself. */
  connect(url: string): Database {
    return new Database({
      connection: parseStoreUrl(url),
      applicationName: "bench observer",
      poolSize: 1,
      statementTimeoutMs: 3_600_000,
      idleTimeoutMs: 3_600_000,
    });
  }

  async version(): Promise<string> {
    const [row] = await this.admin.query<{ server_version: string }>("show server_version");
    return row?.server_version ?? "";
  }

  /** A new empty database; returns its URL. */
  async createDatabase(): Promise<{ name: string; url: string }> {
    const name = `bench_${++this.#databases}`;
    await this.admin.query(`create database ${quoteIdentifier(name)} template template0`);
    return { name, url: this.#postgres.url(name) };
  }

  async dropDatabase(name: string): Promise<void> {
    await this.admin.query(`drop database if exists ${quoteIdentifier(name)} with (force)`);
  }

  /** Brings a filled database to the same state for everybody: statistics made, nothing left to write. */
  async settle(url: string): Promise<void> {
    const database = this.connect(url);
    await database.query("vacuum analyze");
    await database.query("checkpoint");
    await database.close();
  }

  /** CPU seconds of the server so far. */
  cpuSeconds(): number | undefined {
    return cpuSecondsWithChildren(this.#pid);
  }

  /** Bytes of write-ahead log so far. */
  async walBytes(): Promise<number> {
    const [row] = await this.admin.query<{ bytes: string }>("select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes");
    return Number(row?.bytes);
  }

  /** Makes a user who may do everything, and is counted apart (`statementsOf`). */
  async createUser(name: string): Promise<void> {
    await this.admin.query(`create role ${quoteIdentifier(name)} superuser login`);
  }

  /** Statements that a user has sent so far, to all databases, and the bytes of write-ahead log that they made. */
  async statementsOf(user: string): Promise<{ calls: number; walBytes: number }> {
    const [row] = await this.admin.query<{ calls: string; wal: string }>(
      `select coalesce(sum(s.calls), 0) as calls, coalesce(sum(s.wal_bytes), 0) as wal
       from pg_stat_statements s join pg_roles r on r.oid = s.userid where r.rolname = $1`,
      [user],
    );
    return { calls: Number(row?.calls), walBytes: Number(row?.wal) };
  }

  /** Statements that clients have sent to a database so far. */
  async statements(database: string): Promise<number> {
    const [row] = await this.admin.query<{ calls: string }>(
      `select coalesce(sum(s.calls), 0) as calls from pg_stat_statements s join pg_database d on d.oid = s.dbid
       where d.datname = $1`,
      [database],
    );
    return Number(row?.calls);
  }

  async stop(): Promise<void> {
    await this.admin.close();
    await this.#postgres.destroy();
  }
}

import { Client, type ClientBase, Pool, type PoolClient } from "pg";
import { StoreError } from "../errors.ts";
import type { Session } from "../session.ts";
import { toStoreError } from "../sqlstate.ts";
import { clientConfig, type Timeouts } from "./client-config.ts";
import { currentSettings } from "./credential-files.ts";
import { HintSender } from "./hint-sender.ts";
import { quoteIdentifier, sessionSchema } from "./identifier.ts";
import { QueueHints, type QueueHintsOptions } from "./queue-hints.ts";
import type { ConnectionSettings } from "./settings.ts";

/** What a `Database` needs to know. Times are milliseconds. */
export interface DatabaseOptions {
  readonly connection: ConnectionSettings;
  /** Schema of the store; `jobqueue` when absent. */
  readonly schema?: string | undefined;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Most connections at once; 10 when absent. */
  readonly poolSize?: number | undefined;
  /** Until a connection must stand, and until one of a full pool must be free; 5000 when absent. */
  readonly connectTimeoutMs?: number | undefined;
  /** Until the server gives up a statement; 30000 when absent. */
  readonly statementTimeoutMs?: number | undefined;
  /** Until the client gives up waiting for an answer; 5000 more than the statement timeout when absent. */
  readonly queryTimeoutMs?: number | undefined;
  /** Until an unused connection is closed; 30000 when absent. */
  readonly idleTimeoutMs?: number | undefined;
  /** Told when an unused connection broke; it is replaced by itself. For logs. */
  readonly onIdleError?: ((error: StoreError) => void) | undefined;
}

/** Longest a transaction may stand idle between two of its statements. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** PgBouncer answers so to a startup parameter it does not pass on. */
const UNSUPPORTED_PARAMETER = /unsupported startup parameter/;

/**
 * A pool of connections to one store. Keeps no state in a server session, so it works through PgBouncer in transaction
 * mode; there the server's own `statement_timeout` applies, since the pooler refuses to set one.
 *
 * A connection that failed, or on which an answer did not come in time, is closed and never reused; one on which the
 * server merely refused a statement is kept.
 */
export class Database implements Session {
  readonly schema: string;
  readonly #options: DatabaseOptions;
  readonly #timeouts: Timeouts;
  readonly #hints: HintSender;
  #pool: Pool;
  #suited: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    this.schema = sessionSchema(options.schema ?? "jobqueue");
    this.#options = options;
    const statementMs = options.statementTimeoutMs ?? 30_000;
    this.#timeouts = {
      connectMs: options.connectTimeoutMs ?? 5_000,
      statementMs,
      queryMs: options.queryTimeoutMs ?? statementMs + 5_000,
    };
    this.#pool = this.#createPool(this.#timeouts);
    const store = quoteIdentifier(this.schema);
    // Two statements, so that one who may not ask, or a store that cannot be asked, has its hints.
    const notify = `select ${store}.notify_queue(queue) from unnest($1::text[]) queue`;
    const notifyAndAsk = `select ${store}.notify_queue(queue), ${store}.hint_interval_ms() as ms from unnest($1::text[]) queue`;
    this.#hints = new HintSender(async (queues, askInterval) => {
      const [row] = await this.query<{ ms?: number }>(askInterval ? notifyAndAsk : notify, [queues]);
      return row?.ms;
    });
  }

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#withClient(async (client) => run<Row>(client, sql, values));
  }

  /**
   * Runs `work` in one transaction (READ COMMITTED) and commits it, or rolls back when it rejects. `timeoutMs` replaces
   * the statement and query timeouts inside; after `idleMs` without a statement (60 s) the server ends it.
   */
  async transaction<Result>(
    work: (session: Session) => Promise<Result>,
    options: { readonly timeoutMs?: number; readonly idleMs?: number } = {},
  ): Promise<Result> {
    const queues = new Set<string>();
    const result = await this.#withClient(async (client) => {
      const session: Session = {
        schema: this.schema,
        query: async <Row>(sql: string, values: readonly unknown[] = []) =>
          run<Row>(client, sql, values, options.timeoutMs),
        noteEnqueued: (names) => {
          for (const name of names) queues.add(name);
        },
      };
      await run(client, beginOf(options), []);
      try {
        const value = await work(session);
        await commit(client);
        return value;
      } catch (error) {
        // A connection in doubt is closed instead, which rolls back as well and waits for no answer.
        if (!(error instanceof StoreError && isConnectionDoubtful(error))) {
          await run(client, "rollback", []).catch((rollbackError: unknown) => {
            markBroken(client, rollbackError);
          });
        }
        throw error;
      }
    });
    if (queues.size > 0) this.#hints.note([...queues]);
    return result;
  }

  noteEnqueued(queues: readonly string[]): void {
    this.#hints.note(queues);
  }

  /** Starts to listen for hints on a connection of its own, with this store's settings or with others (a direct one). */
  async listen(
    options: Pick<QueueHintsOptions, "topics" | "onHint" | "onHearing" | "probeIntervalMs"> & {
      readonly connection?: ConnectionSettings;
    },
  ): Promise<QueueHints> {
    const hints = new QueueHints({
      connection: options.connection ?? this.#options.connection,
      schema: this.schema,
      applicationName: `${this.#options.applicationName} hints`,
      topics: options.topics,
      onHint: options.onHint,
      onHearing: options.onHearing,
      probeIntervalMs: options.probeIntervalMs,
      probe: async (channel, payload) => {
        await this.query("select pg_notify($1, $2)", [channel, payload]);
      },
    });
    await hints.start();
    return hints;
  }

  /** Sends the hints that wait, then closes all connections. Repeatable. */
  async close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#hints.flush();
      await this.#pool.end();
    })();
    await this.#closed;
  }

  async #withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#connect();
    // Between two statements of a transaction nobody else listens, and an unheard "error" ends the process.
    const onError = (error: Error) => {
      markBroken(client, error);
    };
    client.on("error", onError);
    try {
      return await work(client);
    } catch (error) {
      const failure = toStoreError(error);
      if (error instanceof StoreError && isConnectionDoubtful(failure)) markBroken(client, failure);
      throw error;
    } finally {
      client.removeListener("error", onError);
      const broken = brokenClients.get(client);
      // A half-open socket would keep `end` waiting for the server's goodbye, and the pool's slot with it.
      if (broken) socketOf(client)?.destroy();
      client.release(broken);
    }
  }

  /**
   * The first connection alone finds out whether it stands before a pooler. Others would wait on a pool that is about to be
   * replaced, and `pg` forgets those who wait on a pool that ends until their time is over.
   */
  async #connect(): Promise<PoolClient> {
    this.#suited ??= (async () => {
      (await this.#connectOnce()).release();
    })();
    const suited = this.#suited;
    try {
      await suited;
    } catch (error) {
      if (this.#suited === suited) this.#suited = undefined;
      throw error;
    }
    return this.#connectOnce();
  }

  async #connectOnce(): Promise<PoolClient> {
    const pool = this.#pool;
    try {
      return await pool.connect();
    } catch (error) {
      if (this.#timeouts.statementMs === 0 || !UNSUPPORTED_PARAMETER.test(String(error))) throw toStoreError(error);
      if (this.#pool === pool) {
        this.#pool = this.#createPool({ ...this.#timeouts, statementMs: 0 });
        await pool.end();
      }
    }
    return this.#pool.connect().catch((error: unknown) => {
      throw toStoreError(error);
    });
  }

  #createPool(timeouts: Timeouts): Pool {
    const { connection, applicationName } = this.#options;
    const pool = new Pool({
      ...clientConfig(connection, applicationName, timeouts),
      // Each connection is made with the credentials of its own time: they may be rotated while the pool lives.
      ...(connection.credentialDirectory !== undefined && {
        Client: class extends Client {
          constructor() {
            super(clientConfig(currentSettings(connection), applicationName, timeouts));
          }
        },
      }),
      max: this.#options.poolSize ?? 10,
      idleTimeoutMillis: this.#options.idleTimeoutMs ?? 30_000,
      // oxlint-disable-next-line typescript/no-misused-promises -- pg awaits it, whatever its types say
      onConnect: refuseStandby,
    });
    pool.on("error", (error) => this.#options.onIdleError?.(toStoreError(error)));
    return pool;
  }
}

/**
 * Begins a transaction in one round trip. A process that is stopped in the middle of one would keep its locks, and every
 * claim of a queue it holds out, for as long as its connection stands: the server ends such a transaction.
 */
function beginOf({
  timeoutMs,
  idleMs = IDLE_IN_TRANSACTION_MS,
}: {
  readonly timeoutMs?: number;
  readonly idleMs?: number;
}): string {
  const timeout = timeoutMs === undefined ? "" : `; set local statement_timeout = ${Math.round(timeoutMs)}`;
  return `begin isolation level read committed; set local idle_in_transaction_session_timeout = ${Math.round(idleMs)}${timeout}`;
}

/** Commits. When a statement failed and `work` went on regardless, the server answers a commit with a rollback. */
async function commit(client: PoolClient): Promise<void> {
  let command: string;
  try {
    ({ command } = await client.query("commit"));
  } catch (error) {
    throw toStoreError(error);
  }
  if (command !== "COMMIT") {
    throw new StoreError("nothing was committed: a statement of the transaction had failed and its error was ignored", {
      code: "conflict",
      retry: "never",
      sqlstate: "25P02",
    });
  }
}

const brokenClients = new WeakMap<PoolClient, Error>();

function markBroken(client: PoolClient, error: unknown): void {
  if (!brokenClients.has(client)) brokenClients.set(client, toStoreError(error));
}

/** Whether a connection may be in an unknown state after this error: then it is not used again. */
function isConnectionDoubtful(error: StoreError): boolean {
  return error.sqlstate === undefined ? error.code !== "invalid_input" : error.retry === "reconnect";
}

function socketOf(client: PoolClient): { destroy(): void } | undefined {
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream;
}

async function run<Row>(
  client: PoolClient,
  sql: string,
  values: readonly unknown[],
  timeoutMs?: number,
): Promise<Row[]> {
  // `query_timeout` per query is understood by `pg` but missing from its types.
  const query = {
    text: sql,
    values: [...values],
    ...(timeoutMs === undefined ? {} : { query_timeout: timeoutMs + 5_000 }),
  };
  try {
    return (await client.query(query)).rows as Row[];
  } catch (error) {
    throw toStoreError(error);
  }
}

/** After a failover a name may still lead to the old primary: nothing decides from a server that only follows. */
async function refuseStandby(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
  if (rows[0]?.standby !== false) {
    throw new StoreError("this server is a standby: connect to the primary", {
      code: "not_primary",
      retry: "reconnect",
    });
  }
}

import { Database, type QueueHints } from "@jobqueue/store";
import type { Clock, Log } from "../../runtime/index.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import { placeOf } from "./connection-settings.ts";
import { connectionOf, type ReadSecret, type StoreSettings } from "./credentials.ts";
import { downBecause } from "./failure.ts";

/** All that makes one pool differ from another. */
interface Settings extends StoreSettings {
  readonly poolSize: number;
  readonly statementTimeoutSeconds: number;
}

/** How a connection is made. */
export interface StoreConnectionOptions {
  /** "namespace/name" of the JobStore, for logs. */
  readonly key: string;
  readonly readSecret: ReadSecret;
  /** Between two readings of the Secrets while all is well. */
  readonly secretEveryMs: number;
  readonly onHint: () => void;
  /** Told before a pool with another address or other credentials than the one before is used. */
  readonly onChanged: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The pool of one store, made from its Secrets and made anew when what they say changes. */
export class StoreConnection {
  readonly #options: StoreConnectionOptions;
  #open: { readonly settings: Settings; readonly database: Database; hints?: QueueHints } | undefined;
  #readAt: number | undefined;
  #secretProblem: string | undefined;

  constructor(options: StoreConnectionOptions) {
    this.#options = options;
  }

  /** The pool, if there is one. */
  get database(): Database | undefined {
    return this.#open?.database;
  }

  /** Why the Secrets cannot be used now, while the connection made from them before goes on. */
  get secretProblem(): string | undefined {
    return this.#secretProblem;
  }

  /** Makes the next `ready` start from the Secrets. */
  distrust(): void {
    this.#readAt = undefined;
  }

  /**
   * The pool for a JobStore. `failing`: the last attempt to use it failed, so there is nothing to hold on to.
   * @throws StoreFailure, StoreError when there is no usable address
   */
  async ready(jobStore: StoredJobStore, failing: boolean): Promise<Database> {
    const { clock, key, log, readSecret, secretEveryMs } = this.#options;
    const due = this.#readAt === undefined || clock.now() - this.#readAt >= secretEveryMs;
    if (this.#open && !due) return this.#open.database;
    const { poolSize, statementTimeoutSeconds } = jobStore.spec;
    let settings: Settings;
    try {
      settings = { ...(await connectionOf(jobStore, readSecret)), poolSize, statementTimeoutSeconds };
      this.#secretProblem = undefined;
    } catch (error) {
      if (!this.#open || failing) throw error;
      this.#secretProblem = downBecause(error, placeOf(jobStore.spec.connection)).sentence;
      settings = { ...this.#open.settings, poolSize, statementTimeoutSeconds }; // what works is kept
    }
    this.#readAt = clock.now();
    const old = this.#open;
    if (old && JSON.stringify(old.settings) === JSON.stringify(settings)) return old.database;
    if (old) {
      log.info({ store: key }, "the connection settings changed, connecting anew");
      if (JSON.stringify(old.settings.connection) !== JSON.stringify(settings.connection)) this.#options.onChanged();
    }
    const database = new Database({
      connection: settings.connection,
      schema: jobStore.spec.schema,
      applicationName: "jobqueue-operator",
      poolSize,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: statementTimeoutSeconds * 1000,
      onIdleError: (error) => {
        log.debug({ store: key, err: error }, "an idle connection broke");
      },
    });
    this.#open = { settings, database };
    await close(old);
    return database;
  }

  /** Begins to listen for hints, once; it goes on by itself, and deafness costs only time. */
  async listen(): Promise<void> {
    const open = this.#open;
    if (!open || open.hints) return;
    const { direct } = open.settings;
    open.hints = await open.database.listen({ onHint: this.#options.onHint, ...(direct && { connection: direct }) });
  }

  /** Does something that must not go through a pooler, on a connection of its own where there is a direct way. */
  async directly<Result>(work: (database: Database) => Promise<Result>): Promise<Result> {
    const open = this.#open;
    if (!open) throw new Error("there is no connection");
    const { direct, statementTimeoutSeconds } = open.settings;
    if (!direct) return work(open.database);
    const database = new Database({
      connection: direct,
      schema: open.database.schema,
      applicationName: "jobqueue-operator direct",
      poolSize: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: statementTimeoutSeconds * 1000,
    });
    try {
      return await work(database);
    } finally {
      await close({ database });
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await close(open);
  }
}

async function close(open: { readonly database: Database; readonly hints?: QueueHints } | undefined): Promise<void> {
  await open?.hints?.stop();
  await open?.database.close().catch(() => {}); // a broken pool is closed as well as it can be
}

import { type ConnectionSettings, Database, type QueueHints } from "@jobqueue/store";
import type { Clock, Log } from "../../runtime/index.ts";
import type { StoredJobStore } from "../kubernetes-objects.ts";
import { connectionOf, type ReadSecret } from "./credentials.ts";
import { downBecause } from "./failure.ts";

/** Connections of the operator to one store. Its work is a few small statements; two more than queues are written at once. */
const POOL_SIZE = 4;

/** How a connection is made. */
export interface StoreConnectionOptions {
  /** "namespace/name" of the JobStore, for logs. */
  readonly key: string;
  readonly readSecret: ReadSecret;
  /** Between two readings of the Secrets while all is well. */
  readonly secretEveryMs: number;
  readonly onHint: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** The pool of one store, made from its Secrets and made anew when what they say changes. */
export class StoreConnection {
  readonly #options: StoreConnectionOptions;
  #open: { readonly settings: ConnectionSettings; readonly database: Database; hints?: QueueHints } | undefined;
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
    let settings: ConnectionSettings;
    try {
      settings = await connectionOf(jobStore, readSecret);
      this.#secretProblem = undefined;
    } catch (error) {
      if (!this.#open || failing) throw error;
      this.#secretProblem = downBecause(error, jobStore.spec.connection.uriSecretRef).sentence;
      settings = this.#open.settings; // what works is kept
    }
    this.#readAt = clock.now();
    const old = this.#open;
    if (old && JSON.stringify(old.settings) === JSON.stringify(settings)) return old.database;
    if (old) log.info({ store: key }, "the connection settings changed, connecting anew");
    const database = new Database({
      connection: settings,
      schema: jobStore.spec.schema,
      applicationName: "jobqueue-operator",
      poolSize: POOL_SIZE,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 5_000,
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
    open.hints = await open.database.listen({ onHint: this.#options.onHint });
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

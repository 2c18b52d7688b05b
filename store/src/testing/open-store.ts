import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { Database, type DatabaseOptions } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { TRANSITION_GUARD } from "./transition-guard.ts";

/** A store of a test's own, with what tests do to it again and again. */
export class StoreUnderTest {
  readonly url: string;
  readonly database: Database;
  readonly #drop: () => Promise<void>;
  readonly #others: Database[] = [];

  constructor(url: string, drop: () => Promise<void>) {
    this.url = url;
    this.#drop = drop;
    this.database = new Database({ connection: parseStoreUrl(url), applicationName: "store test" });
  }

  /** Another pool to the same store, closed with it: another process, as far as the store can tell. */
  connect(options: Partial<DatabaseOptions> = {}): Database {
    const database = new Database({
      connection: parseStoreUrl(this.url),
      applicationName: "store test, other",
      ...options,
    });
    this.#others.push(database);
    return database;
  }

  /** Registers a worker and returns its id. */
  async worker(facts: { podUid?: string; leaseSeconds?: number } = {}): Promise<string> {
    return registerWorker(this.database, { bootId: crypto.randomUUID(), ...facts });
  }

  /** Makes the lease of a worker lapse now, as if it had been silent for long enough. */
  async lapse(worker: string): Promise<void> {
    await this.database.query(
      "update jobqueue.workers set lease_until = clock_timestamp() - interval '1 millisecond' where id = $1",
      [worker],
    );
  }

  /** Makes a waiting job's time come now. */
  async makeDue(id: string): Promise<void> {
    await this.database.query("update jobqueue.jobs set run_at = clock_timestamp() where id = $1 and state in (2, 3)", [
      id,
    ]);
  }

  /** Resolves when some statement on this database waits for a lock that another transaction holds. */
  async someoneWaits(): Promise<void> {
    const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    await eventually(
      "a statement to wait for a lock",
      async () => ((await this.database.query(waiting)).length > 0 ? true : undefined),
      { everyMs: 10 },
    );
  }

  /** Forgets everything, which is cheaper than another database. */
  async clear(): Promise<void> {
    const tables = ["jobs", "job_history", "workers", "leases", "holds", "queues", "queue_limits", "audit_events"];
    tables.push("job_dependencies", "kept_keys", "cancel_requests", "schedules", "schedule_ticks");
    for (const table of tables) {
      await this.database.query(`delete from jobqueue.${table}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.database, ...this.#others].map(async (database) => database.close()));
    await this.#drop();
  }
}

/** Opens an empty store in a database of its own, in which no illegal transition of a job goes unnoticed. */
export async function openStore(adminUrl: string): Promise<StoreUnderTest> {
  const database = await createTestDatabase(adminUrl);
  const store = new StoreUnderTest(database.url, async () => database.drop());
  await store.database.query(TRANSITION_GUARD);
  return store;
}

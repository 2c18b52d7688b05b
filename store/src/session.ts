import { sessionSchema } from "./connection/identifier.ts";
import { toStoreError } from "./sqlstate.ts";

/**
 * Something that runs SQL against one store. `Database` is one (each query on any connection of its pool), the argument
 * of `Database.transaction` is one, and `sessionOn` makes one of a client that the caller manages.
 */
export interface Session {
  /** Name of the Postgres schema that holds the store, not quoted. */
  readonly schema: string;
  /** Runs one statement; values are bound, never spliced. Rejects with `StoreError`. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Told of queues that got jobs, so that a hint is sent once they are committed. Absent where nobody sends hints. */
  noteEnqueued?(queues: readonly string[]): void;
}

/** What `sessionOn` needs of a client: the `query` of `pg` (a `Client`, a `PoolClient` or a `Pool`). */
export interface QueryableClient {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/**
 * A session on the caller's own client, hence inside the caller's transaction: a job enqueued through it commits or
 * vanishes with everything else the transaction wrote (G1). No hint is sent; workers see the job at their next poll,
 * or at once when the caller runs `notifyQueue` after the commit.
 */
export function sessionOn(client: QueryableClient, schema = "jobqueue"): Session {
  const checked = sessionSchema(schema);
  return {
    schema: checked,
    async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
      try {
        return (await client.query(sql, [...values])).rows as Row[];
      } catch (error) {
        throw toStoreError(error);
      }
    },
  };
}

import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { openStore, type StoreUnderTest } from "./open-store.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  /** Runs a statement as a function of the store would, on a job that is pending, or running. */
  async function asTheStore(sql: string, state: "pending" | "running" = "pending"): Promise<unknown> {
    const { id } = await enqueue(store.database, { queue: "q", kind: "k" });
    if (state === "running") {
      await store.database.query("update jobqueue.jobs set state = 1, lease_token = 1, worker_id = 1 where id = $1", [
        id,
      ]);
    }
    return store.database.transaction(async (session) => {
      await session.query("set local search_path = jobqueue, pg_temp");
      await session.query(sql.replaceAll(":id", id));
    });
  }

  it.each([
    ["pending to failed", "update jobs set state = 3 where id = :id", "pending", /from state 0 to state 3/],
    ["pending to completed", "select move_to_history(array[:id], 10)", "pending", /from state 0 to state 10/],
    [
      "a beginning as failed",
      "insert into jobs (queue, kind, payload, state) values ('q', 'k', '{}', 3)",
      "pending",
      /begins in state 3/,
    ],
    ["a running job that vanishes", "delete from jobs where id = :id", "running", /was running, and is nowhere now/],
    [
      "a record of a job that never was",
      `insert into job_history (id, queue, kind, state, priority, attempt, max_attempts, recoveries, created_at, run_at, finished_at, payload)
       select 4711, 'q', 'k', 10, 0, 1, 1, 0, now(), now(), now(), '{}'`,
      "pending",
      /came into the history from nowhere/,
    ],
    [
      "a second end of one generation",
      `select move_to_history(array[:id], 11);
       insert into jobs (id, queue, kind, payload) overriding system value values (:id, 'q', 'k', '{}');
       select move_to_history(array[:id], 11)`,
      "pending",
      /generation 1 of job \d+ ended twice/,
    ],
    [
      "an end that changes afterwards",
      "select move_to_history(array[:id], 11); update job_history set state = 10 where id = :id",
      "pending",
      /the terminal state of job \d+ was changed from 11 to 10/,
    ],
  ] as const)("the guard of the tests refuses %s", async (_, sql, state, words) => {
    await expect(asTheStore(sql, state)).rejects.toThrow(words);
  });

  it.each([
    ["cancelling", "select move_to_history(array[:id], 11)", "pending"],
    ["completing", "select move_to_history(array[:id], 10)", "running"],
    ["deleting what has not started", "delete from jobs where id = :id", "pending"],
    [
      "a new generation after a death",
      `select move_to_history(array[:id], 12, dead_reasons => '{attempts}');
       insert into jobs (id, queue, kind, payload, generation) overriding system value values (:id, 'q', 'k', '{}', 2)`,
      "running",
    ],
  ] as const)("and allows %s", async (_, sql, state) => {
    await expect(asTheStore(sql, state)).resolves.toBeUndefined();
  });
});

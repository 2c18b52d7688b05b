import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type QueryResult } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "./testing/open-store.ts";

const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const blocks = [...readme.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1] as string);

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("the README's examples, run in order as they stand, do what the text says", async () => {
    const client = new Client({ connectionString: store.url });
    await client.connect();
    const answers: Record<string, unknown>[][] = [];
    try {
      for (const block of blocks) {
        // The failed job's second is over whenever it is over; here it is not.
        await client.query("update jobqueue.jobs set run_at = run_at + interval '1 hour' where state = 3");
        // One result where there is one statement, else a list of them.
        const results = [(await client.query(block)) as QueryResult | QueryResult[]].flat();
        answers.push(...results.filter(({ command }) => command === "SELECT").map(({ rows }) => rows));
      }
    } finally {
      await client.end();
    }
    expect(answers).toMatchObject([
      [{ id: "1", outcome: "inserted" }],
      [{ id: "1", outcome: "duplicate" }],
      [{ outcome: "inserted" }, { outcome: "inserted" }, { outcome: "inserted" }],
      [{ register_worker: "1" }],
      [
        { id: "1", kind: "order.confirm", attempt: 1, lease_token: "1" },
        { kind: "ping", lease_token: "1" },
      ],
      [{ lease_ms: 30_000 }],
      [{ complete: [] }],
      [{ fail: [] }],
      [{ return_unstarted: [] }],
      [{ deregister_worker: null }],
      [{ hold: true }],
      [{ hold: true }],
      [{ queue: "*" }, { queue: "mail" }],
      [{ release: true }],
      [{ release: true }],
      [{ action: "hold" }, { action: "hold" }, { action: "release" }, { action: "release" }],
      [{ register_worker: "2" }],
      [{ count: "1" }],
      [{ workers_gone: "2" }],
      [{ outcome: "retried" }],
      [
        { state: "completed" },
        { state: "failed" },
        { state: "pending", attempt: 0, recoveries: 1, why: "pod deleted" },
        { state: "pending" },
      ],
      [{ configure_queue: true }],
      [{ outcome: "inserted" }],
      [{ matched: "1", changed: "0" }],
      [{ matched: "1", changed: "1" }],
      [{ cancelled: "cancelled", retried: "completed" }],
      [{ code: "cancelled" }],
      [{ queue: "mail" }, { queue: "reports" }],
      [],
      [{ state: "gone" }, { state: "gone" }],
      [{ configure_store: true }],
    ]);
  });
});

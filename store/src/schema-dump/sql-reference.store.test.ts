import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { renderSqlReference } from "./sql-reference.ts";
import { PROTOCOL } from "./worker-protocol.ts";

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  beforeAll(async () => {
    store = await openStore(adminUrl);
  });
  afterAll(async () => store.close());

  it("the worker of the reference, run as it stands, does what the text says", async () => {
    const client = new Client({ connectionString: store.url });
    await client.connect();
    try {
      const block = /```sql\n([\s\S]*?)```/.exec(PROTOCOL)?.[1] ?? "";
      const results = (await client.query(block)) as unknown as { rows: Record<string, unknown>[] }[];
      expect(results.map(({ rows }) => rows)).toMatchObject([
        [{ id: "1", outcome: "inserted" }],
        [{ id: "2", outcome: "inserted" }],
        [{ id: "3", outcome: "inserted" }],
        [{ worker: "1" }],
        [
          { id: "1", lease_token: "1", timeout_ms: 60_000 },
          { id: "2", kind: "welcome" },
          { id: "3", kind: "unknown" },
        ],
        [{ lease_ms: 30_000, cancel_ids: [] }],
        [{ lost: [] }],
        [{ lost: [] }],
        [{ lost: [] }],
        [{ lost: [] }],
        [{ lost: ["3"] }],
        [],
        [{ release_deferred: "0" }],
        [{ renewed: true }],
        [{ deregister_worker: null }],
      ]);
    } finally {
      await client.end();
    }
  });

  it("the reference has every public function with its roles, and every view with its columns", async () => {
    const text = await renderSqlReference(store.database);
    for (const words of [
      "#### `claim`",
      "#### `complete`",
      "[producer, worker, admin]",
      "[only the owner]",
      "### `v_runs`",
      "`JQ001`",
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain("#### `act_on_job`");
  });
});

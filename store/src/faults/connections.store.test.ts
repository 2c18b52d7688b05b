import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "pg";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { enqueue } from "../jobs/enqueue.ts";

describe("a server with no connection left", () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await PostgresServer.create(18, {
      max_connections: "12",
      superuser_reserved_connections: "0",
      reserved_connections: "0",
    });
    ({ url } = await createTestDatabase(server.url()));
  });
  afterAll(async () => server.destroy());

  it("P6: refuses with a code that says to wait, what stands goes on, and a new one stands as soon as there is room", async () => {
    const standing = new Database({ connection: parseStoreUrl(url), applicationName: "standing", poolSize: 1 });
    await standing.query("select 1");
    const crowd: Client[] = [];
    const fill = async (): Promise<never> => {
      for (;;) {
        const client = new Client({ connectionString: url });
        client.on("error", () => {});
        await client.connect();
        crowd.push(client);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: "53300" });
    const late = new Database({ connection: parseStoreUrl(url), applicationName: "late", poolSize: 1 });
    await expect(enqueue(late, { queue: "q", kind: "k" })).rejects.toMatchObject({
      code: "overloaded",
      retry: "backoff",
      sqlstate: "53300",
    });
    // A heartbeat has a connection of its own, which stands.
    expect(await standing.query("select 1 as one")).toEqual([{ one: 1 }]);
    await crowd.pop()?.end();
    await expect
      .poll(
        async () =>
          enqueue(late, { queue: "q", kind: "k" }).then(
            ({ outcome }) => outcome,
            () => "refused",
          ),
        { timeout: 5_000 },
      )
      .toBe("inserted");
    await Promise.all([...crowd.map((client) => client.end()), late.close(), standing.close()]);
  });
});

import { chownSync, mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresServer } from "../../../test/support/postgres/server.ts";
import { SmallFilesystem } from "../../../test/support/postgres/small-filesystem.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue, enqueueMany } from "../jobs/enqueue.ts";
import { migrate } from "../migrations/migrate.ts";
import { registerWorker } from "../workers/register-worker.ts";

/** The server runs as nobody when the tests run as root, which alone may mount. */
const NOBODY = 65_534;

describe("a disk that is full", () => {
  let disk: SmallFilesystem;
  let server: PostgresServer;
  let database: Database;
  beforeAll(async () => {
    disk = SmallFilesystem.mount(48);
    const tables = join(disk.directory, "tables");
    mkdirSync(tables);
    chownSync(tables, NOBODY, NOBODY);
    server = await PostgresServer.create(18);
    const admin = new Database({ connection: parseStoreUrl(server.url()), applicationName: "admin" });
    await admin.query(`create tablespace small location '${tables}'`);
    const { url } = await createTestDatabase(server.url(), { migrated: false });
    await admin.query(`alter database ${new URL(url).pathname.slice(1)} set default_tablespace = 'small'`);
    await admin.close();
    database = new Database({ connection: parseStoreUrl(url), applicationName: "disk full", poolSize: 3 });
    await migrate(database);
  });
  afterAll(async () => {
    await database.close();
    await server.destroy();
    disk.unmount();
  });

  it("P12: enqueues are refused whole and in words, what runs can end, and everything goes on when there is room, with no restart", async () => {
    const workerId = await registerWorker(database, { bootId: "b" });
    await enqueueMany(
      database,
      Array.from({ length: 5 }, () => ({ queue: "q", kind: "before" })),
    );
    const running = await claim(database, { workerId, queues: ["q"], max: 2 });

    const ballast = join(disk.directory, "ballast");
    const { bavail, bsize } = statfsSync(disk.directory);
    writeFileSync(ballast, Buffer.alloc((bavail - 8) * bsize));
    const large = Array.from({ length: 100 }, (_, n) => ({
      queue: "q",
      kind: "large",
      payload: { n, text: noise(20_000) },
    }));
    await expect(enqueueMany(database, large)).rejects.toMatchObject({
      code: "overloaded",
      retry: "backoff",
      sqlstate: "53100",
    });
    expect(await database.query("select from jobqueue.jobs where kind = 'large'")).toEqual([]);
    // Small writes find room on pages that exist, or are refused as a whole as well.
    const ended: unknown = await complete(database, running).then(
      (lost) => (lost.length === 0 ? "completed" : lost),
      (error: { sqlstate?: string }) => error.sqlstate,
    );
    expect(["completed", "53100"]).toContain(ended);

    rmSync(ballast);
    expect(await complete(database, running)).toEqual([]);
    expect((await enqueueMany(database, large)).every(({ outcome }) => outcome === "inserted")).toBe(true);
    expect((await enqueue(database, { queue: "q", kind: "after" })).outcome).toBe("inserted");
    expect(await claim(database, { workerId, queues: ["q"], max: 200 })).toHaveLength(3 + 100 + 1);
  });
});

/** Text that does not compress. */
function noise(length: number): string {
  let text = "";
  while (text.length < length) text += crypto.randomUUID();
  return text;
}

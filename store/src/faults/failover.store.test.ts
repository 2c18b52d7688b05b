import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import { createTestDatabase } from "../../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../../test/support/postgres/proxy.ts";
import { POSTGRES_MAJORS, PostgresServer } from "../../../test/support/postgres/server.ts";
import { Database } from "../connection/database.ts";
import { parseStoreUrl } from "../connection/settings.ts";
import { claim } from "../jobs/claim.ts";
import { complete } from "../jobs/complete.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { getJob } from "../jobs/read-jobs.ts";
import { registerWorker } from "../workers/register-worker.ts";

describe.each(POSTGRES_MAJORS)("PostgreSQL %i with a standby", (major) => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let proxy: PostgresProxy;
  let database: Database;
  beforeAll(async () => {
    primary = await PostgresServer.create(major);
    const { url } = await createTestDatabase(primary.url());
    standby = await primary.createStandby();
    proxy = await PostgresProxy.create(url);
    database = new Database({ connection: parseStoreUrl(proxy.url), applicationName: "failover", poolSize: 3 });
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await standby.destroy();
    await primary.destroy();
  });

  it("P7: after a failover the old primary, back and read-only, is refused, and leases and tokens hold on the new one", async () => {
    const name = new URL(proxy.url).pathname.slice(1);
    const workerId = await registerWorker(database, { bootId: "before", leaseSeconds: 600 });
    await enqueue(database, { queue: "q", kind: "k" });
    await enqueue(database, { queue: "q", kind: "k" });
    const [held] = await claim(database, { workerId, queues: ["q"], max: 1 });
    if (held === undefined) throw new Error("nothing was claimed");
    await eventually("the standby to have caught up", async () => {
      const [row] = await database.query<{ same: boolean }>(
        "select bool_and(replay_lsn = pg_current_wal_lsn()) as same from pg_stat_replication",
      );
      return row?.same === true || undefined;
    });

    await primary.stop("immediate");
    await expect(enqueue(database, { queue: "q", kind: "k" })).rejects.toMatchObject({ retry: "reconnect" });
    const promoting = new Database({ connection: { ...parseStoreUrl(standby.url()) }, applicationName: "promoter" });
    await expect(promoting.query("select 1")).rejects.toMatchObject({ code: "not_primary" });
    await promoting.close();
    standby.promote();

    // The name still leads to the old primary, which came back to follow: nothing may be decided there.
    primary.followOnNextStart();
    await primary.start();
    await expect(claim(database, { workerId, queues: ["q"], max: 1 })).rejects.toMatchObject({
      code: "not_primary",
      retry: "reconnect",
    });

    proxy.retarget(standby.url(name));
    expect(await complete(database, [held])).toEqual([]);
    expect((await getJob(database, held.id))?.state).toBe("completed");
    const [next] = await claim(database, { workerId, queues: ["q"], max: 1 });
    expect(Number(next?.leaseToken)).toBeGreaterThan(Number(held.leaseToken));
  });

  it("P7: a connection that stood when its server became read-only is not used again", async () => {
    // The session turns read-only under us, as when a primary is demoted without ending its sessions.
    await database.query("alter database postgres set default_transaction_read_only = off");
    await expect(
      database.transaction(async (session) => {
        await session.query("set transaction read only");
        await enqueue(session, { queue: "q", kind: "k" });
      }),
    ).rejects.toMatchObject({ code: "not_primary", retry: "reconnect", sqlstate: "25006" });
    const before = proxy.connections;
    await enqueue(database, { queue: "q", kind: "k" });
    expect(proxy.connections).toBeGreaterThan(before);
  });
});

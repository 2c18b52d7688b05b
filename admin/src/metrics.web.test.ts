import { enqueueMany, hold, listApiKeys, revokeApiKey } from "@jobqueue/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { forNewestPostgres } from "../../test/support/postgres/database.ts";
import { PostgresProxy } from "../../test/support/postgres/proxy.ts";
import { WorkerProcess } from "../../worker/src/testing/worker-process.ts";
import { ADMIN_METRICS } from "./metrics.ts";
import { AdminUnderTest } from "./testing/admin-under-test.ts";

forNewestPostgres(({ adminUrl }) => {
  describe("what Prometheus scrapes from an admin server on a real store with a real worker", () => {
    let admin: AdminUnderTest;
    let proxy: PostgresProxy;
    let worker: WorkerProcess;
    beforeAll(async () => {
      admin = await AdminUnderTest.start(adminUrl, [], async (url) => {
        proxy = await PostgresProxy.create(url);
        return proxy.url;
      });
      const env = { JOBQUEUE_LEASE_SECONDS: "30", JOBQUEUE_SLOTS: "2", POD_NODE: "node-1" };
      worker = new WorkerProcess({ databaseUrl: admin.store.url, queues: "mailers", env });
      await eventually("the worker to start", async () => worker.entries("worker started")[0], { timeoutMs: 90_000 });
    });
    afterAll(async () => {
      await worker.kill();
      await admin.close();
      await proxy.close();
    });

    const scrape = async (): Promise<Map<string, number>> => {
      const { status, text } = await admin.ask("GET", "/metrics");
      expect(status).toBe(200);
      const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      return new Map(lines.map((line) => [line.replace(/ \S+$/, ""), Number(line.split(" ").at(-1))]));
    };
    /** Scrapes until this is what it says: counts are made in the background, for everybody at once. */
    const says = async (series: string, looks: (value: number | undefined) => boolean): Promise<Map<string, number>> =>
      eventually(series, async () => {
        const seen = await scrape();
        return looks(seen.get(series)) ? seen : undefined;
      });

    it("has the four of Posit Connect: size, age, active duration by host, and completed, which the workers count", async () => {
      const wait = { queue: "mailers", kind: "wait", payload: { file: "/nonexistent" } };
      await enqueueMany(admin.store.database, [{ queue: "mailers", kind: "quick" }]);
      const completed = 'jobqueue_worker_jobs_finished_total{queue="mailers",kind="quick",outcome="completed"}';
      await eventually("one to complete", async () => ((await worker.metric(completed)) === 1 ? true : undefined));
      await enqueueMany(admin.store.database, [wait, wait, wait]);
      await enqueueMany(admin.store.database, [{ queue: "mailers", kind: "quick", delaySeconds: 3600 }]);
      await hold(admin.store.database, { queue: "held", name: "x", reason: "x", actor: "ana", source: "cli" });
      await enqueueMany(admin.store.database, [{ queue: "held", kind: "quick" }]);

      const size = (queue: string, state: string) => `jobqueue_queue_items_size{queue="${queue}",state="${state}"}`;
      await says(size("held", "pending"), (count) => count === 1);
      const seen = await says(size("mailers", "running"), (count) => count === 2);
      expect(seen.get(size("mailers", "pending"))).toBe(1);
      expect(seen.get(size("mailers", "scheduled"))).toBe(1);
      expect(seen.get(size("mailers", "stale"))).toBe(0);
      expect(seen.get(size("held", "running"))).toBe(0);
      const older = await says('jobqueue_queue_items_age_seconds{queue="held"}', (age) => age !== undefined && age > 0);
      const active = [...older.keys()].filter((series) => series.startsWith("jobqueue_queue_items_active{"));
      expect(active).toHaveLength(1);
      const [, host = ""] =
        /^jobqueue_queue_items_active\{queue="mailers",hostname="([^"]+)"\}$/.exec(active[0] ?? "") ?? [];
      expect(host).not.toBe("");
      expect(older.get(active[0] ?? "")).toBe(2);
      const duration = `jobqueue_queue_items_active_duration_seconds{queue="mailers",hostname="${host}"}`;
      const first = (await scrape()).get(duration) ?? Infinity;
      await says(duration, (seconds) => (seconds ?? 0) > first); // it goes on running
      expect(older.get("jobqueue_admin_store_up")).toBe(1);
      expect(older.get("jobqueue_queues_left_out")).toBe(0);
      const counted = older.get("jobqueue_queue_items_counted_timestamp_seconds") ?? 0;
      expect(Math.abs(Date.now() / 1000 - counted)).toBeLessThan(60);
    });

    it("every metric of the table is exported, under its name and type", async () => {
      const { text } = await admin.ask("GET", "/metrics");
      for (const { name, type } of Object.values(ADMIN_METRICS)) expect(text).toContain(`# TYPE ${name} ${type}\n`);
    });

    it("while the store does not answer the scrape does, says so, and shows no old number of a queue", async () => {
      proxy.cut(true);
      try {
        const seen = await says("jobqueue_admin_store_up", (up) => up === 0);
        expect([...seen.keys()].filter((series) => series.startsWith("jobqueue_queue_items_size"))).toEqual([]);
      } finally {
        proxy.cut(false);
      }
      await says("jobqueue_admin_store_up", (up) => up === 1);
    });

    it("so does one with a key that was good lately; no other key is let in meanwhile, nor to anything else (S19)", async () => {
      const [scraper, stranger] = [await admin.key("metrics:read,queues:read"), await admin.key("metrics:read")];
      expect((await admin.ask("GET", "/metrics", { key: scraper })).status).toBe(200);
      proxy.cut(true);
      try {
        await eventually("the scrape to say that the store is away", async () => {
          const { status, text } = await admin.ask("GET", "/metrics", { key: scraper });
          expect(status).toBe(200);
          return text.includes("\njobqueue_admin_store_up 0\n") ? true : undefined;
        });
        expect((await admin.ask("GET", "/metrics", { key: stranger })).status).toBeGreaterThanOrEqual(503);
        expect((await admin.ask("GET", "/api/v1/queues", { key: scraper })).status).toBeGreaterThanOrEqual(503);
      } finally {
        proxy.cut(false);
      }
      await says("jobqueue_admin_store_up", (up) => up === 1);
      const act = { actor: "test", reason: "test" };
      const keys = await listApiKeys(admin.store.database);
      const known = keys.find(({ scopes }) => scopes.includes("queues:read"));
      await revokeApiKey(admin.store.database, known?.name ?? "", act);
      await expect.poll(async () => (await admin.ask("GET", "/metrics", { key: scraper })).status).toBe(401);
    });
  });
});

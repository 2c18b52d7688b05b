import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Database, enqueueMany, parseStoreUrl } from "@jobqueue/store";
import { expect, it } from "vitest";
import { eventually } from "../../test/support/eventually.ts";
import { OtlpReceiver } from "../../test/support/otlp/receiver.ts";
import { scraped } from "../../test/support/otlp/series.ts";
import { createTestDatabase, forNewestPostgres } from "../../test/support/postgres/database.ts";

const COMMAND = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

forNewestPostgres(({ adminUrl }) => {
  it("an admin server with an OpenTelemetry SDK in its process sends by OTLP what it counts of queues", async () => {
    const [receiver, store] = [await OtlpReceiver.start(), await createTestDatabase(adminUrl)];
    const database = new Database({ connection: parseStoreUrl(store.url), applicationName: "test" });
    await enqueueMany(database, [
      { queue: "mailers", kind: "k" },
      { queue: "mailers", kind: "k" },
    ]);
    const args = ["admin", "--store-url", store.url, "--listen", "127.0.0.1:0"];
    const server = spawn(process.execPath, [COMMAND, ...args], {
      env: { PATH: process.env["PATH"], ...receiver.environment("admin") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const url = Promise.withResolvers<string>();
      createInterface({ input: server.stdout }).on("line", (line) => {
        const entry = JSON.parse(line) as { msg: string; url?: string };
        if (entry.msg === "the admin server listens") url.resolve(entry.url ?? "");
      });
      const size = 'jobqueue_queue_items_size{queue="mailers",state="pending"}';
      const seen = await eventually("the size of the queue", async () => {
        const metrics = receiver.metricsOf("admin");
        return metrics.get(size) === 2 ? metrics : undefined;
      });
      const scrape = scraped(await (await fetch(`${await url.promise}/metrics`)).text());
      expect(scrape.get(size)).toBe(2);
      // The scrape itself is a request, whose series begin with it.
      const own = (series: string): boolean => !series.startsWith("jobqueue_admin_request_seconds");
      expect([...seen.keys()].filter(own).sort()).toEqual([...scrape.keys()].filter(own).sort());
    } finally {
      server.kill("SIGKILL");
      await once(server, "close");
      await database.close();
      await store.drop();
      await receiver.close();
    }
  });
});

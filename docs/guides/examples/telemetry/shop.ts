// Enqueues a job under a span of its own: node --import ./telemetry.mjs shop.ts
import { Database, enqueue, parseStoreUrl } from "@jobqueue/store";
import { trace } from "@opentelemetry/api";

const connection = parseStoreUrl(process.env["DATABASE_URL"] ?? "");
const database = new Database({ connection, applicationName: "shop" });
await trace.getTracer("shop").startActiveSpan("checkout", async (span) => {
  const job = await enqueue(database, { queue: "default", kind: "order.place", payload: { order: 7 } });
  process.stdout.write(`job ${job.id}\n`);
  span.end();
});
await database.close();

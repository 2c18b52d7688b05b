import { afterAll, beforeAll, expect, it } from "vitest";
import { forEachPostgres } from "../../../test/support/postgres/database.ts";
import { openStore, type StoreUnderTest } from "../testing/open-store.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueue } from "./enqueue.ts";
import { fail } from "./fail.ts";
import { waitFor } from "./wait-for.ts";

let queues = 0;

forEachPostgres(({ adminUrl }) => {
  let store: StoreUnderTest;
  let workerId: string;
  beforeAll(async () => {
    store = await openStore(adminUrl);
    workerId = await store.worker({ leaseSeconds: 3600 });
  });
  afterAll(async () => store.close());

  async function claimed() {
    queues += 1;
    const queue = `wait-${queues}`;
    await enqueue(store.database, { queue, kind: "k" });
    const [job] = await claim(store.database, { workerId, queues: [queue], max: 1 });
    if (!job) throw new Error("nothing to claim");
    return job;
  }

  it("a wait ends with the job when it is completed, or dead", async () => {
    const [good, bad] = [await claimed(), await claimed()];
    const waits = [good, bad].map(async (job) => waitFor(store.database, job.id, { timeoutMs: 60_000 }));
    await complete(store.database, [{ ...good, result: 42 }]);
    await fail(store.database, [{ ...bad, error: "no", permanent: true }]);
    expect(await Promise.all(waits)).toMatchObject([
      { id: good.id, state: "completed", result: 42 },
      { id: bad.id, state: "dead", lastError: "no" },
    ]);
  });

  it("a wait that is over too early says in which state the job is, and may be repeated", async () => {
    const job = await claimed();
    await expect(waitFor(store.database, job.id, { timeoutMs: 0 })).rejects.toMatchObject({
      message: `job ${job.id} is still running after 0 ms`,
      code: "timeout",
      retry: "backoff",
    });
    await complete(store.database, [job]);
    expect(await waitFor(store.database, job.id, { timeoutMs: 0 })).toMatchObject({ state: "completed" });
  });

  it("a wait can be given up, and is refused for a job that does not exist or a time that makes no sense", async () => {
    const job = await claimed();
    const given = new AbortController();
    const wait = waitFor(store.database, job.id, { timeoutMs: 60_000, signal: given.signal });
    given.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
    await expect(waitFor(store.database, "987654321", { timeoutMs: 1 })).rejects.toThrow("there is no job 987654321");
    await expect(waitFor(store.database, job.id, { timeoutMs: Number.NaN })).rejects.toThrow("timeoutMs is NaN");
  });
});

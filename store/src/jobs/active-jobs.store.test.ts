import { describe, expect, inject, it } from "vitest";
import { openStore } from "../testing/open-store.ts";
import { registerWorker } from "../workers/register-worker.ts";
import { activeJobs } from "./active-jobs.ts";
import { claim } from "./claim.ts";
import { complete } from "./complete.ts";
import { enqueueMany } from "./enqueue.ts";

describe.each(Object.entries(inject("postgres")))("running jobs by queue and host, %s", (_server, adminUrl) => {
  it("counts them where they run, and says how long the oldest has been running; what ended or waits is none", async () => {
    const store = await openStore(adminUrl);
    const { database } = store;
    const workerOn = async (facts: { node?: string; hostname?: string }): Promise<string> =>
      registerWorker(database, { bootId: crypto.randomUUID(), leaseSeconds: 600, ...facts });
    const [here, there, nowhere] = [
      await workerOn({ node: "node-1", hostname: "pool-1" }),
      await workerOn({ hostname: "vm-7" }),
      await workerOn({}),
    ];
    await enqueueMany(
      database,
      ["a", "a", "a", "a", "b", "b", "c"].map((queue) => ({ queue, kind: "k" })),
    );
    const ended = await claim(database, { workerId: here, queues: ["a"], max: 1 });
    await complete(database, ended);
    const [first] = await claim(database, { workerId: here, queues: ["a"], max: 2 });
    await claim(database, { workerId: there, queues: ["b"], max: 1 });
    await claim(database, { workerId: nowhere, queues: ["c"], max: 1 });
    await database.query("update jobqueue.jobs set claimed_at = claimed_at - interval '1 hour' where id = $1", [
      first?.id,
    ]);

    const active = await activeJobs(database);
    expect(active.map(({ queue, hostname, jobs }) => [queue, hostname, jobs])).toEqual([
      ["a", "node-1", 2],
      ["b", "vm-7", 1],
      ["c", "", 1],
    ]);
    expect(active[0]?.longestSeconds).toBeGreaterThanOrEqual(3600);
    expect(active[1]?.longestSeconds).toBeLessThan(3600);

    // A lease that lapsed is still a job that may be running: it is stale, and counted until somebody takes it away.
    await store.lapse(there);
    expect((await activeJobs(database)).map(({ queue }) => queue)).toContain("b");
    await store.close();
  });
});

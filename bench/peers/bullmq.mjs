/** BullMQ on its Postgres backend in the benches. */
import { createPostgresBackend, withBackend } from "bullmq";
import { steadyLoad } from "../producer.ts";
import { monotonicMs, RunCounter } from "../run-counter.ts";
import { serve } from "../serve.ts";

const QUEUE = "bench";
const INSERT_BATCH = 1_000;
/** `best`: the concurrency that was fastest here of 1, 8 and 32; finished jobs removed, as its own figures have it. */
const OPTIONS = { best: { concurrency: 8, removeOnComplete: { count: 0 } }, defaults: {} };

const { Queue, Worker } = withBackend(createPostgresBackend);
const connection = { connectionString: process.env.DATABASE_URL };
const counter = new RunCounter();
let queue;
let worker;
let lastCompletionMs;

const jobs = (from, count) =>
  Array.from({ length: count }, (_, index) => ({ name: "count", data: { id: from + index } }));
const insert = async (from, count) => {
  for (let at = 0; at < count; at += INSERT_BATCH)
    await queue.addBulk(jobs(from + at, Math.min(INSERT_BATCH, count - at)));
};

serve({
  async install() {
    queue = new Queue(QUEUE, { connection: { ...connection, migrate: true } });
    await queue.waitUntilReady();
  },
  insert: ({ from, count }) => insert(from, count),
  async start({ settings }) {
    worker = new Worker(
      QUEUE,
      async ({ data }) => {
        counter.ran(data.id);
      },
      { connection, autorun: false, ...OPTIONS[settings] },
    );
    worker.on("error", (error) => process.stderr.write(`${error.stack}\n`));
    worker.on("completed", () => {
      lastCompletionMs = Date.now();
    });
    await worker.waitUntilReady();
  },
  go() {
    void worker.run();
  },
  async unfinished() {
    const counts = await queue.getJobCounts("wait", "active", "delayed", "prioritized", "waiting");
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  },
  finished: () => ({ kept: null, distinct: null, lastCommitMs: null }),
  clock: () => ({ lastCompletionMs }),
  async enqueue({ id }) {
    const calledMs = monotonicMs();
    await queue.add("count", { id });
    return calledMs;
  },
  ...steadyLoad(insert),
  runs: counter.runs,
  probe: counter.probe,
  probes: counter.probes,
});

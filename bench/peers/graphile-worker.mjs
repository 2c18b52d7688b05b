/** Graphile Worker in the benches. */
import { setTimeout as sleep } from "node:timers/promises";
import { makeWorkerUtils, run } from "graphile-worker";
import { Pool } from "pg";
import { arrivals, BUSINESS_TABLE, BUSINESS_WRITE, steadyLoad, transactions } from "../producer.ts";
import { monotonicMs, RunCounter } from "../run-counter.ts";
import { serve } from "../serve.ts";

const connectionString = process.env.DATABASE_URL;
/** `best`: the preset of its own perfTest/; `prefetch`: that with as large a local queue as we prefetch. */
const PRESETS = {
  best: {
    concurrentJobs: 24,
    maxPoolSize: 25,
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  },
  prefetch: {
    concurrentJobs: 24,
    maxPoolSize: 25,
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
    localQueue: { size: 2000, refetchDelay: { durationMs: 10 } },
  },
  defaults: {},
};
const INSERT_BATCH = 5_000;

const counter = new RunCounter();
const pool = new Pool({ connectionString, max: 26 });
let firstFetchMs;
let lastCompletionMs;

/** Notes when the first fetch was sent and when the last deletion was answered: start-up and end cost it nothing. */
function watch(client) {
  const query = client.query;
  client.query = function (...args) {
    const text = typeof args[0] === "string" ? args[0] : args[0]?.text;
    const result = Reflect.apply(query, this, args);
    if (/^\s*(with j as \(\s*)?delete from .*_private_jobs/.test(text ?? "")) {
      void completed(result);
    } else if (firstFetchMs === undefined && /update .*_private_jobs as jobs/i.test(text ?? "")) {
      firstFetchMs = Date.now();
    }
    return result;
  };
}

async function completed(answer) {
  await answer;
  lastCompletionMs = Date.now();
}

let utils;
const addJobs = (client, from, count, ms = 0) =>
  client.query(
    `select from graphile_worker.add_jobs(array(
       select json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'count', 'payload', json_build_object('id', n, 'ms', $3::int)))
       from generate_series($1::int, $2::int) n))`,
    [from, from + count - 1, ms],
  );
const insert = async (from, count) => {
  for (let at = 0; at < count; at += INSERT_BATCH) await addJobs(pool, from + at, Math.min(INSERT_BATCH, count - at));
};

serve({
  async install() {
    utils = await makeWorkerUtils({ pgPool: pool });
    await utils.migrate();
    await pool.query(BUSINESS_TABLE);
  },
  insert: ({ from, count }) => insert(from, count),
  async start() {
    pool.on("connect", watch);
    await Promise.all(Array.from({ length: 2 }, () => pool.query("select 1")));
  },
  async go({ settings }) {
    await run({
      preset: { worker: { ...PRESETS[settings] } },
      pgPool: pool,
      noHandleSignals: true,
      logger: undefined,
      taskList: {
        count: async ({ id, ms }) => {
          counter.ran(id);
          if (ms > 0) await sleep(ms);
        },
      },
    });
  },
  async unfinished() {
    return (await pool.query("select count(*)::int as left from graphile_worker._private_jobs")).rows[0].left;
  },
  finished: () => ({ kept: null, distinct: null, lastCommitMs: null }),
  clock: () => ({ firstFetchMs, lastCompletionMs }),
  async enqueue({ id }) {
    const calledMs = monotonicMs();
    await utils.addJob("count", { id });
    return calledMs;
  },
  async backlog({ count, ms }) {
    for (let at = 0; at < count; at += INSERT_BATCH) {
      await addJobs(pool, 1 + at, Math.min(INSERT_BATCH, count - at), ms);
    }
  },
  arrivals: arrivals((_, id) => utils.addJob("count", { id, ms: 1 })),
  ...steadyLoad(insert),
  transactions: transactions(async (rows) => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query(BUSINESS_WRITE);
    if (rows === 1) await client.query("select from graphile_worker.add_job('count', '{\"id\": 1}')");
    else await addJobs(client, 1, rows);
    await client.query("commit");
    client.release();
  }),
  runs: counter.runs,
  probe: counter.probe,
  probes: counter.probes,
});

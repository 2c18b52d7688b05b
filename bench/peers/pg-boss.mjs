/** pg-boss in the benches. */
import { Pool } from "pg";
import { PgBoss } from "pg-boss";
import { BUSINESS_TABLE, BUSINESS_WRITE, steadyLoad, transactions } from "../producer.ts";
import { monotonicMs, RunCounter } from "../run-counter.ts";
import { serve } from "../serve.ts";

const QUEUE = "bench";
const INSERT_BATCH = 5_000;
/** `best`: what was fastest here of the sizes from 100 to 5000; half a second is the shortest poll it takes. */
const OPTIONS = {
  best: { batchSize: 5_000, localConcurrency: 2, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true },
  quick: { localConcurrency: 2, pollingIntervalSeconds: 0.5 },
  defaults: {},
};

const counter = new RunCounter();
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
let boss;

async function open(listen) {
  boss = new PgBoss({ connectionString: process.env.DATABASE_URL, useListenNotify: listen });
  boss.on("error", (error) => process.stderr.write(`${error.stack}\n`));
  await boss.start();
}
const jobs = (from, count) => Array.from({ length: count }, (_, index) => ({ data: { id: from + index } }));
const insert = async (from, count) => {
  for (let at = 0; at < count; at += INSERT_BATCH) {
    await boss.insert(QUEUE, jobs(from + at, Math.min(INSERT_BATCH, count - at)));
  }
};

serve({
  async install({ listen = false }) {
    await open(listen);
    await boss.createQueue(QUEUE, { notify: listen });
    await pool.query(BUSINESS_TABLE);
  },
  insert: ({ from, count }) => insert(from, count),
  start: ({ listen = false }) => open(listen),
  go: ({ settings }) =>
    boss.work(QUEUE, OPTIONS[settings], async (batch) => {
      for (const { data } of batch) counter.ran(data.id);
    }),
  async unfinished() {
    const { rows } = await pool.query(
      "select count(*)::int as left from pgboss.job where name = $1 and state < 'completed'",
      [QUEUE],
    );
    return rows[0].left;
  },
  async finished() {
    const { rows } = await pool.query(
      `select count(*)::int as kept, count(distinct id)::int as distinct,
         extract(epoch from max(pg_xact_commit_timestamp(xmin)))::float8 * 1000 as "lastCommitMs"
       from pgboss.job where name = $1 and state = 'completed'`,
      [QUEUE],
    );
    return rows[0];
  },
  async enqueue({ id }) {
    const calledMs = monotonicMs();
    await boss.send(QUEUE, { id });
    return calledMs;
  },
  ...steadyLoad(insert),
  transactions: transactions(async (rows) => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query(BUSINESS_WRITE);
    const db = { executeSql: (text, values) => client.query(text, values) };
    if (rows === 1) await boss.send(QUEUE, { id: 1 }, { db });
    else await boss.insert(QUEUE, jobs(1, rows), { db });
    await client.query("commit");
    client.release();
  }),
  runs: counter.runs,
  probe: counter.probe,
  probes: counter.probes,
});

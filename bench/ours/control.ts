/** Our store in the benches: installs it, fills it, asks it how it stands. The workers are `jobqueue worker` itself. */
import {
  configureQueue,
  Database,
  enqueue,
  enqueueMany,
  ensureQueue,
  hold,
  migrate,
  parseStoreUrl,
  release,
} from "../../store/src/index.ts";
import { arrivals, BUSINESS_TABLE, BUSINESS_WRITE, steadyLoad, transactions } from "../producer.ts";
import { monotonicMs } from "../run-counter.ts";
import { serve } from "../serve.ts";

const QUEUE = "bench";
const HOLD = { queue: QUEUE, name: "bench", actor: "bench", reason: "until all are ready" } as const;
const INSERT_BATCH = 5_000;
const KEEP_BATCH = 500_000;

const database = new Database({
  connection: parseStoreUrl(process.env["DATABASE_URL"] ?? ""),
  applicationName: "bench",
  statementTimeoutMs: 600_000,
  idleTimeoutMs: 600_000,
});

const jobs = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ queue: QUEUE, kind: "count", payload: { id: from + index } }));

const insert = async (from: number, count: number, batch = INSERT_BATCH): Promise<void> => {
  for (let at = 0; at < count; at += batch) await enqueueMany(database, jobs(from + at, Math.min(batch, count - at)));
};

serve({
  async install() {
    await migrate(database);
    await ensureQueue(database, QUEUE);
    await database.query(BUSINESS_TABLE);
  },
  insert: async ({ from, count, batch }: { from: number; count: number; batch?: number }) => insert(from, count, batch),
  /** Fills the history of today with rows as if that many jobs had finished within the last minutes. */
  async keep({ rows }: { rows: number }) {
    for (let from = 1; from <= rows; from += KEEP_BATCH) {
      await database.query(
        `insert into jobqueue.job_history (id, queue, kind, state, priority, attempt, max_attempts, recoveries, worker_id,
           lease_token, created_at, run_at, claimed_at, finished_at, duration_ms, payload)
         select -n, $3, 'count', 10, 0, 1, 5, 0, 1, n / 1000, now(), now(), now(), now(), 1, json_build_object('id', n)
         from generate_series($1::bigint, $2::bigint) n`,
        [from, Math.min(rows, from + KEEP_BATCH - 1), QUEUE],
      );
    }
  },
  /** Keeps the workers from starting before "go", by the means of the product. */
  async hold() {
    await hold(database, { ...HOLD, source: "cli" });
  },
  async go() {
    await release(database, HOLD);
  },
  async unfinished() {
    const [row] = await database.query<{ left: number }>("select count(*)::int as left from jobqueue.jobs");
    return row?.left ?? 0;
  },
  async finished() {
    const [row] = await database.query(
      `select count(*)::int as kept, count(distinct id)::int as distinct,
         extract(epoch from max(pg_xact_commit_timestamp(xmin)))::float8 * 1000 as "lastCommitMs"
       from jobqueue.job_history`,
    );
    return row;
  },
  async enqueue({ id, listen }: { id: number; listen: boolean }) {
    const calledMs = monotonicMs();
    if (listen) await enqueue(database, { queue: QUEUE, kind: "count", payload: { id } });
    else await database.query("select from jobqueue.enqueue($1, 'count', $2::json)", [QUEUE, JSON.stringify({ id })]);
    return calledMs;
  },
  /** Jobs of one tenant, each taking its time; with `fair` the tenants of the queue take turns. */
  async backlog({ count, ms, fair }: { count: number; ms: number; fair: boolean }) {
    await configureQueue(database, QUEUE, { fair }, { actor: "bench", reason: "B9" });
    for (let at = 0; at < count; at += INSERT_BATCH) {
      const some = jobs(1 + at, Math.min(INSERT_BATCH, count - at));
      await enqueueMany(
        database,
        some.map(({ payload }) => ({
          queue: QUEUE,
          kind: "slow",
          payload: { ...payload, ms },
          concurrencyKey: "tenant-0",
        })),
      );
    }
  },
  arrivals: arrivals(async (tenant, id) => {
    await enqueue(database, { queue: QUEUE, kind: "slow", payload: { id, ms: 1 }, concurrencyKey: tenant });
  }),
  ...steadyLoad(insert),
  transactions: transactions(async (rows) => {
    await database.transaction(async (session) => {
      await session.query(BUSINESS_WRITE);
      if (rows === 1) await enqueue(session, { queue: QUEUE, kind: "count", payload: { id: 1 } });
      else await enqueueMany(session, jobs(1, rows));
    });
  }),
});

/**
 * The ceiling: what plain SQL does that claims and finishes in batches and keeps the rows, with no handler, no holds, no
 * lease, no retry.
 */
import { Pool } from "pg";
import { serve } from "../serve.ts";

const SESSIONS = 3;
const BATCH = 1_000;
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: SESSIONS });
let runs = 0;
let sum = 0;

const claim = {
  name: "claim",
  text: `update jobs set state = 1, token = nextval('token'), attempt = attempt + 1 where ctid = any(array(
           select ctid from jobs where state = 0 order by priority, run_at, id limit $1 for update skip locked))
         returning id, payload`,
};
const finish = {
  name: "finish",
  text: `with done as (delete from jobs using unnest($1::bigint[]) done(id) where jobs.id = done.id returning jobs.*)
         insert into history select * from done`,
};

async function work() {
  for (;;) {
    const { rows } = await pool.query({ ...claim, values: [BATCH] });
    if (rows.length === 0) return;
    for (const { payload } of rows) {
      runs++;
      sum += payload.id;
    }
    await pool.query({ ...finish, values: [rows.map(({ id }) => id)] });
  }
}

serve({
  async install() {
    await pool.query(`
      create sequence token;
      create table jobs (id bigint generated always as identity primary key, run_at timestamptz not null default clock_timestamp(),
        token bigint, priority smallint not null default 0, attempt smallint not null default 0, state smallint not null default 0,
        queue text not null, kind text not null, payload json) with (fillfactor = 85);
      create index jobs_fetch on jobs (priority, run_at, id) where state = 0;
      create table history (like jobs);`);
  },
  async insert({ from, count }) {
    await pool.query(
      "insert into jobs (queue, kind, payload) select 'bench', 'count', json_build_object('id', n) from generate_series($1::int, $2::int) n",
      [from, from + count - 1],
    );
  },
  async start() {
    await Promise.all(Array.from({ length: SESSIONS }, () => pool.query("select pg_sleep(0.01)")));
  },
  go() {
    for (let session = 0; session < SESSIONS; session++) void work();
  },
  async unfinished() {
    return (await pool.query("select count(*)::int as left from jobs")).rows[0].left;
  },
  async finished() {
    const { rows } = await pool.query(
      `select count(*)::int as kept, count(distinct id)::int as distinct,
         extract(epoch from max(pg_xact_commit_timestamp(xmin)))::float8 * 1000 as "lastCommitMs" from history`,
    );
    return rows[0];
  },
  runs: () => ({ runs, sum }),
});

import type { Stage } from "./stage.ts";
import type { Story } from "./story.ts";
import { checkResults } from "./work.ts";

/** The query that proves it; anybody may run it. Every job of a run carries its tag. */
const TOTALS = `
  select count(*)::int                                             as finished,
         count(distinct id)::int                                   as distinct_jobs,
         count(*) filter (where state = 10)::int                   as completed,
         (select count(*)::int from jobqueue.jobs where tag = $1)  as unfinished
  from jobqueue.job_history
  where tag = $1`;

/** Compares what was enqueued with what is finished, and the results with the documents themselves. */
export async function showTotals(stage: Stage, story: Story, ids: readonly string[]): Promise<void> {
  const store = await stage.store();
  story.say(`${TOTALS.replaceAll("$1", `'${stage.run}'`).trim()};`);
  const [row] = await store.query<{ finished: number; distinct_jobs: number; completed: number; unfinished: number }>(
    TOTALS,
    [stage.run],
  );
  if (row === undefined) throw new Error("an aggregate without a row");
  story.say(
    `finished ${row.finished} · distinct ${row.distinct_jobs} · completed ${row.completed} · unfinished ${row.unfinished}`,
  );
  story.check(
    "enqueued = completed",
    row.completed === ids.length,
    `${ids.length} enqueued, ${row.completed} completed`,
  );
  story.check("none lost", row.unfinished === 0 && row.finished === ids.length, `${row.unfinished} unfinished`);
  story.check("none finished twice", row.finished === row.distinct_jobs, `${row.finished - row.distinct_jobs} twice`);
  await checkResults(stage, story);
  await stage.show(story, "at the end");
}

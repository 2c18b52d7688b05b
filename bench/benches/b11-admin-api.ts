import { type Bench, interleaved } from "../bench.ts";
import { Cast } from "../cast.ts";
import { OURS } from "../contenders.ts";
import { ms } from "../figures.ts";
import { median, quantile } from "../statistics.ts";

/** What the dashboard, the command and the clients of other systems ask most: lists, pages, filters and summaries. */
const READS: readonly { readonly name: string; readonly path: string }[] = [
  { name: "queues", path: "/api/v1/queues" },
  { name: "counts of all jobs", path: "/api/v1/counts" },
  { name: "charts of an hour", path: "/api/v1/series" },
  { name: "jobs, first page", path: "/api/v1/jobs?limit=50" },
  { name: "jobs, the first page of those that ended", path: "/api/v1/jobs?limit=50&after=1" },
  { name: "jobs of a queue that completed", path: "/api/v1/jobs?limit=50&queue=bench&state=completed" },
  { name: "jobs that are dead (there are none)", path: "/api/v1/jobs?limit=50&state=dead" },
  { name: "Posit Connect: queue", path: "/__api__/v1/queue?page_size=50&page_number=1" },
  { name: "Publaryn: jobs with their summary", path: "/v1/admin/jobs?per_page=50&page=1" },
  { name: "Publaryn: stats", path: "/v1/stats" },
  { name: "wcs.backend: queues", path: "/@rq-queues" },
  { name: "wcs.backend: a registry", path: "/@rq-queues/bench/finished_job_registry" },
];

/** So many requests in a row, divided by which a round of B3 is too long for this. */
const SAMPLES_SHARE = 8;

interface Measured {
  readonly ms: readonly number[];
  /** Answers that said of themselves that they are partial. */
  readonly partial: number;
}

/** Pages of people, when the history is long. */
export const B11: Bench = {
  id: "B11",
  title: "lists and summaries of the admin API beside kept rows",
  goal: "p95 at most 300 ms with 10,000,000 rows",
  run: async (setup) => {
    const { server, jobs, keptRows, samples, report } = setup;
    const cast = await Cast.open(server, { contender: OURS, settings: OURS.settings[0] });
    try {
      report(`B11: filling a store with ${keptRows} finished rows and ${jobs} pending jobs`);
      await cast.control.ask("keep", { rows: keptRows });
      await cast.control.ask("insert", { from: 1, count: jobs });
      await cast.settle();
      const base = await cast.addAdmin();
      const count = Math.max(1, Math.ceil(samples / SAMPLES_SHARE));
      const results = await interleaved<Measured>(
        setup,
        "B11",
        READS.map(({ name, path }) => ({ name, measure: async () => ask(`${base}${path}`, count) })),
        (one) => `p95 ${ms(quantile(one.ms, 0.95))} ms`,
      );
      return READS.map(({ name }) => {
        const rounds = results.get(name) ?? [];
        const all = rounds.flatMap((round) => round.ms);
        const partial = rounds.reduce((sum, round) => sum + round.partial, 0);
        return {
          bench: "B11",
          contender: OURS.name,
          settings: OURS.settings[0].name,
          variant: name,
          shown:
            `p50 ${ms(median(all))} ms, p95 ${ms(quantile(all, 0.95))} ms, worst ${ms(Math.max(...all))} ms, ${all.length} requests` +
            (partial === 0 ? "" : `, ${partial} of them partial`),
          raw: rounds,
        };
      });
    } finally {
      await cast.end();
    }
  },
};

async function ask(url: string, count: number): Promise<Measured> {
  const times: number[] = [];
  let partial = 0;
  for (let nth = 0; nth < count; nth++) {
    const began = performance.now();
    const answer = await fetch(url);
    const text = await answer.text();
    times.push(performance.now() - began);
    if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
    if (text.includes('"partial":true')) partial += 1;
  }
  return { ms: times, partial };
}

import type { Job, JobFilter } from "@jobqueue/store";
import { filterOf } from "../job-choice.ts";
import { renderJobTable } from "../job-table.ts";
import { outputFormat, printResult } from "../output/result.ts";
import { readWithPayloads } from "../payloads.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import type { RunVerb } from "../verb.ts";

/** What the store gives at most at once. */
const PAGE = 1000;
const DEFAULT_LIMIT = 50;

async function readJobs(source: Source, filter: JobFilter, limit: number): Promise<Job[]> {
  const jobs: Job[] = [];
  while (jobs.length < limit) {
    const size = Math.min(PAGE, limit - jobs.length);
    const last = jobs.at(-1);
    const page = await source.listJobs({ ...filter, limit: size, ...(last ? { afterId: last.id } : {}) });
    jobs.push(...page);
    if (page.length < size) break;
  }
  return jobs;
}

/** `jobqueue jobs`. */
export const run: RunVerb = async (args, terminal) => {
  const limit = args.number("limit") ?? DEFAULT_LIMIT;
  const filter: JobFilter = { ...filterOf(args), ...(args.on("stale") ? { stale: true } : {}) };
  // The table shows no payload, so it needs no right to read any.
  const shown = outputFormat(args) === "json" || outputFormat(args) === "yaml";
  const { jobs, now } = await withSource(args, terminal, async ({ source }) => ({
    jobs: shown
      ? await readWithPayloads(terminal, async ({ payloads }) => readJobs(source, { ...filter, payloads }, limit))
      : await readJobs(source, { ...filter, payloads: false }, limit),
    now: await source.now(),
  }));
  printResult(args, terminal, {
    value: jobs,
    names: jobs.map((job) => job.id),
    text: () => {
      if (jobs.length === 0) return "No such jobs.";
      const more = jobs.length === limit ? `The newest ${limit}; --limit shows more.\n` : "";
      return `${renderJobTable(jobs, now, terminal)}${more}`;
    },
  });
  return 0;
};

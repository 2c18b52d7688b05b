import { type Job, type JobFilter, type JobState, listJobs, serverFacts, type Session } from "@jobqueue/store";
import { withStore } from "../connect/open-store.ts";
import { formatDuration } from "../duration.ts";
import { printResult } from "../output/result.ts";
import { type Column, type Emphasis, renderTable } from "../output/table.ts";
import type { RunVerb } from "../verb.ts";

/** What the store gives at most at once. */
const PAGE = 1000;
const DEFAULT_LIMIT = 50;

const EMPHASIS: Readonly<Partial<Record<JobState, Emphasis>>> = {
  running: "green",
  failed: "yellow",
  dead: "red",
  completed: "dim",
};

function columns(now: Date): Column<Job>[] {
  const age = (at: Date | null): string => (at === null ? "-" : formatDuration((now.getTime() - at.getTime()) / 1000));
  return [
    { title: "ID", align: "right", value: (job) => job.id },
    { title: "QUEUE", flexible: true, value: (job) => job.queue },
    { title: "KIND", flexible: true, value: (job) => job.kind },
    {
      title: "STATE",
      value: (job) => (job.isStale ? `${job.state} (stale)` : job.state),
      emphasis: (job) => (job.isStale ? "red" : EMPHASIS[job.state]),
    },
    { title: "ATTEMPT", align: "right", value: (job) => `${job.attempt}/${job.maxAttempts}` },
    { title: "AGE", align: "right", value: (job) => age(job.createdAt) },
    {
      title: "FINISHED",
      align: "right",
      value: (job) => (job.finishedAt === null ? "-" : `${age(job.finishedAt)} ago`),
    },
    {
      title: "LAST ERROR",
      flexible: true,
      value: (job) => (job.state === "completed" ? "" : (job.lastError?.split("\n", 1)[0] ?? "")),
    },
  ];
}

async function readJobs(session: Session, filter: JobFilter, limit: number): Promise<Job[]> {
  const jobs: Job[] = [];
  while (jobs.length < limit) {
    const size = Math.min(PAGE, limit - jobs.length);
    const last = jobs.at(-1);
    const page = await listJobs(session, { ...filter, limit: size, ...(last ? { afterId: last.id } : {}) });
    jobs.push(...page);
    if (page.length < size) break;
  }
  return jobs;
}

/** `jobqueue jobs`. */
export const run: RunVerb = async (args, terminal) => {
  const limit = args.number("limit") ?? DEFAULT_LIMIT;
  const filter: JobFilter = {
    ...optional("queue", args.text("queue")),
    ...optional("state", args.text("state") as JobState | undefined),
    ...optional("kind", args.text("kind")),
  };
  const { jobs, now } = await withStore(args, terminal, async ({ database }) => ({
    jobs: await readJobs(database, filter, limit),
    now: (await serverFacts(database)).now,
  }));
  printResult(args, terminal, {
    value: jobs,
    names: jobs.map((job) => job.id),
    text: () => {
      if (jobs.length === 0) return "No such jobs.";
      const shown = columns(now).filter(
        ({ title }) =>
          (title !== "LAST ERROR" || jobs.some((job) => job.lastError !== null && job.state !== "completed")) &&
          (title !== "FINISHED" || jobs.some((job) => job.finishedAt !== null)),
      );
      const more = jobs.length === limit ? `The newest ${limit}; --limit shows more.\n` : "";
      return `${renderTable(shown, jobs, terminal)}${more}`;
    },
  });
  return 0;
};

function optional<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, Value>>;
}

import type { Job, JobState } from "@jobqueue/store";
import { formatDuration } from "./duration.ts";
import { type Column, type Emphasis, renderTable, type TableOptions } from "./output/table.ts";

const EMPHASIS: Readonly<Partial<Record<JobState, Emphasis>>> = {
  running: "green",
  failed: "yellow",
  dead: "red",
  completed: "dim",
  cancelled: "dim",
};

/** The state in a word or two, short enough for a table: what is lost before what is asked to stop. */
function stateWord(job: Job): string {
  if (job.isStale) return "running (stale)";
  return job.cancelRequested ? "cancelling" : job.state;
}

function columns(now: Date): Column<Job>[] {
  const age = (at: Date | null): string => (at === null ? "-" : formatDuration((now.getTime() - at.getTime()) / 1000));
  return [
    { title: "ID", align: "right", value: (job) => job.id },
    { title: "QUEUE", flexible: true, value: (job) => job.queue },
    { title: "KIND", flexible: true, value: (job) => job.kind },
    {
      title: "STATE",
      value: stateWord,
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

/** A table of jobs; columns that would be empty are left out. `now` is the database's. */
export function renderJobTable(jobs: readonly Job[], now: Date, options: TableOptions): string {
  const shown = columns(now).filter(
    ({ title }) =>
      (title !== "LAST ERROR" || jobs.some((job) => job.lastError !== null && job.state !== "completed")) &&
      (title !== "FINISHED" || jobs.some((job) => job.finishedAt !== null)),
  );
  return renderTable(shown, jobs, options);
}

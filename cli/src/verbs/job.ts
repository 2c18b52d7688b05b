import type { Job } from "@jobqueue/store";
import { exactDuration, formatDuration } from "../duration.ts";
import { Failure } from "../failure.ts";
import { parseJobId } from "../job-id.ts";
import { describeWorker, isHeld, nextOf, stateOf, type Surroundings } from "../job-story.ts";
import { formatLabels } from "../labels.ts";
import { printable } from "../output/printable.ts";
import { printResult } from "../output/result.ts";
import { readWithPayloads } from "../payloads.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import type { RunVerb } from "../verb.ts";

const LABEL_WIDTH = 15;

/** `label: value`, with the further lines of a value beneath its first. */
function line(label: string, value: string): string {
  return `${`${label}:`.padEnd(LABEL_WIDTH)}${printable(value)
    .trimEnd()
    .replaceAll("\n", `\n${" ".repeat(LABEL_WIDTH)}`)}\n`;
}

function at(time: Date, now: Date): string {
  const difference = (now.getTime() - time.getTime()) / 1000;
  const relative = difference >= 0 ? `${formatDuration(difference)} ago` : `in ${formatDuration(-difference)}`;
  return `${time.toISOString()} (${relative})`;
}

/** The jobs that must end first, one per line. */
function waitingFor(dependencies: Surroundings["dependencies"]): string {
  return dependencies
    .map(({ job, state, policy }) => {
      const otherwise = policy === "run" ? "runs even if that does not complete" : "is cancelled unless that completes";
      return `job ${job}, ${state ?? "gone"}: this one ${otherwise}`;
    })
    .join("\n");
}

/** What the store advises, where `Next` does not say it already. */
function hintOf(job: Job): string | null {
  return job.isStale || isHeld(job) ? job.recoveryHint : null;
}

/** Errors of earlier attempts, the last one first; the very last is shown by itself. */
function errorsOf(job: Job): string | null {
  const errors = (job.errors ?? []).toReversed();
  if (errors.length < 2 && errors[0]?.error === job.lastError) return null;
  return errors
    .map(({ attempt, generation, at: when, error, exit_code: exitCode }) => {
      const which = job.generation === 1 ? `attempt ${attempt}` : `generation ${generation}, attempt ${attempt}`;
      const exit = typeof exitCode === "number" ? `, exit code ${exitCode}` : "";
      return `${which}, ${when}${exit}: ${error.split("\n", 1)[0]}`;
    })
    .join("\n");
}

function resultOf(job: Job, now: Date): string | null {
  if (job.state !== "completed") return null;
  const { resultExpiresAt } = job;
  if (resultExpiresAt !== null && resultExpiresAt <= now) return "not kept any longer";
  const until = resultExpiresAt === null ? "" : `\nkept until ${at(resultExpiresAt, now)}`;
  return `${JSON.stringify(job.result, null, 2)}${until}`;
}

/** Everything about one job, for people. */
export function renderJob(job: Job, around: Surroundings): string {
  const { now, worker } = around;
  const lines: [string, string | null | undefined][] = [
    ["Job", job.id],
    ["Kind", job.kind],
    ["Queue", job.queue],
    ["State", stateOf(job, around)],
    ["Next", nextOf(job, around)],
    ["Waits for", waitingFor(around.dependencies)],
    ["Hint", hintOf(job)],
    ["Progress", job.progress === null || job.progress === undefined ? null : JSON.stringify(job.progress)],
    ["Priority", job.priority === 0 ? null : String(job.priority)],
    ["Created", at(job.createdAt, now)],
    ["Ready", job.runAt.getTime() === job.createdAt.getTime() ? null : at(job.runAt, now)],
    ["Claimed", job.claimedAt && at(job.claimedAt, now)],
    ["Finished", job.finishedAt && at(job.finishedAt, now)],
    ["Took", job.durationMs === null ? null : `${job.durationMs} ms`],
    ["Exit code", job.exitCode === null ? null : String(job.exitCode)],
    ["Generation", job.generation === 1 ? null : `${job.generation} (a person retried it; attempts count from there)`],
    ["Time limit", job.timeoutMs === null ? null : exactDuration(job.timeoutMs / 1000)],
    ["Worker", worker ? describeWorker(worker) : job.workerId],
    ["Lease", job.lockedUntil && `token ${job.leaseToken}, until ${at(job.lockedUntil, now)}`],
    [
      "Recoveries",
      job.recoveries === 0 ? null : `${job.recoveries} (attempts lost to infrastructure, not counted as attempts)`,
    ],
    [
      "Last recovery",
      job.lastRecovery &&
        `${job.lastRecovery.at} by ${job.lastRecovery.actor}${job.lastRecovery.reason ? `: ${job.lastRecovery.reason}` : ""}`,
    ],
    ["Unique key", job.uniqueKey],
    ["Concurrency", job.concurrencyKey && `key ${job.concurrencyKey}`],
    ["Tag", job.tag],
    ["Labels", job.labels && formatLabels(job.labels)],
    ["Last error", job.lastError],
    ["Earlier", errorsOf(job)],
    ["Payload", JSON.stringify(job.payload, null, 2)],
    ["Result", resultOf(job, now)],
    ["Finaliser", job.finaliserId && `job ${job.finaliserId}`],
  ];
  return lines
    .map(([label, value]) => (value === null || value === undefined || value === "" ? "" : line(label, value)))
    .join("");
}

async function readDependencies(source: Source, job: Job): Promise<Surroundings["dependencies"]> {
  if (job.state !== "deferred") return [];
  const reasons = await source.whyJob(job.id);
  return reasons.flatMap(({ code, detail }) =>
    code === "depends_on"
      ? [{ job: String(detail["job"]), state: detail["state"] as string | null, policy: String(detail["policy"]) }]
      : [],
  );
}

async function readSurroundings(source: Source, job: Job): Promise<Surroundings> {
  const [workers, holds, now, dependencies] = await Promise.all([
    source.listWorkers({ includeGone: true }),
    source.listHolds(job.queue),
    source.now(),
    readDependencies(source, job),
  ]);
  return {
    now,
    holds,
    dependencies,
    worker: workers.find((worker) => worker.id === job.workerId),
    serving: workers.filter((worker) => worker.isLive && worker.state === "active" && worker.queues.includes(job.queue))
      .length,
  };
}

/** `jobqueue job ID`. */
export const run: RunVerb = async (args, terminal) => {
  const id = parseJobId(args.positional("ID"));
  const { job, around } = await withSource(args, terminal, async ({ source }) => {
    const found = await readWithPayloads(terminal, async (options) => source.getJob(id, options));
    if (!found) {
      const remedy =
        "Finished jobs are there only as long as their history is kept. `jobqueue jobs` lists what there is.";
      throw new Failure("notFound", `the store has no job ${id}`, { remedy });
    }
    return { job: found, around: await readSurroundings(source, found) };
  });
  printResult(args, terminal, {
    value: { ...job, dependsOn: around.dependencies, next: nextOf(job, around) },
    names: [job.id],
    text: () => renderJob(job, around),
  });
  return 0;
};

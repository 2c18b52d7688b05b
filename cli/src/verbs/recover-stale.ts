import type { RecoveredJob, RecoveryRequest, WorkerRow } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import type { Arguments } from "../arguments.ts";
import { confirm } from "../confirm.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { parseWorkerId } from "../job-id.ts";
import { printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import { staleCause } from "../stale-cause.ts";
import { remark, type Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";

const DEFAULT_MAX = 1000;

/** What becomes of a job, in words. */
const OUTCOMES: Readonly<Record<RecoveredJob["outcome"], string>> = {
  retried: "pending again",
  failed: "dead: its queue does not run lost jobs again",
  held: "held, until somebody retries or cancels it",
  cancelled: "cancelled, as it was asked to be",
  dead: "dead: it lost too many workers",
};

/** A job that is recovered, or would be, and why. */
interface Recovery extends RecoveredJob {
  readonly why: string;
}

const COLUMNS: readonly Column<Recovery>[] = [
  { title: "ID", align: "right", value: (job) => job.id },
  { title: "QUEUE", flexible: true, value: (job) => job.queue },
  { title: "WORKER", align: "right", value: (job) => job.workerId ?? "-" },
  { title: "BECOMES", flexible: true, value: (job) => OUTCOMES[job.outcome] },
  { title: "BECAUSE", flexible: true, value: (job) => job.why },
];

async function recoveries(source: Source, request: RecoveryRequest): Promise<Recovery[]> {
  // The workers first: what recovery does may end what made the job stale.
  const [workers, now] = [await source.listWorkers({ includeGone: true }), await source.now()];
  const known = new Map<string, WorkerRow>(workers.map((worker) => [worker.id, worker]));
  const jobs = await source.recoverStale(request);
  return jobs.map((job) => ({ ...job, why: staleCause(known.get(job.workerId ?? ""), now) }));
}

function requestOf(args: Arguments): RecoveryRequest {
  const worker = args.text("worker");
  const given = {
    workers: worker === undefined ? undefined : [parseWorkerId(worker)],
    queue: args.text("queue"),
    olderThanSeconds: args.number("older-than"),
    policy: args.text("policy"),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function count(jobs: readonly Recovery[]): string {
  return jobs.length === 1 ? "1 stale job" : `${jobs.length} stale jobs`;
}

function tell(jobs: readonly Recovery[], dryRun: boolean, terminal: Terminal): string {
  if (jobs.length === 0) return "No stale jobs.";
  const head = dryRun ? `${count(jobs)} would move:` : `${count(jobs)} moved:`;
  return `${head}\n${renderTable(COLUMNS, jobs, terminal)}`;
}

/** `jobqueue recover-stale`. */
export const run: RunVerb = async (args, terminal) => {
  const request = requestOf(args);
  const max = args.number("max") ?? DEFAULT_MAX;
  const [dryRun, yes] = [args.on("dry-run"), args.on("yes")];
  if (!dryRun && !yes && !terminal.interactive) {
    throw usageFailure(
      "recover-stale asks before it acts, and there is no terminal to ask on",
      "Look with --dry-run, then give --yes.",
    );
  }
  const { jobs, more } = await withSource(args, terminal, async (open) => {
    const { source } = open;
    const { actor } = await personOf(open, terminal.env);
    const all = { ...request, actor, reason: args.text("reason") ?? "by hand" };
    if (!yes) {
      // One more than asked for, to know whether there are more.
      const found = await recoveries(source, { ...all, max: Math.min(max + 1, 100_000), dryRun: true });
      const seen = { jobs: found.slice(0, max), more: found.length > max };
      if (dryRun || seen.jobs.length === 0) return seen;
      remark(terminal, tell(seen.jobs, true, terminal));
      await confirm(terminal, `Go on and recover ${count(seen.jobs)}?`);
    }
    const moved = await recoveries(source, { ...all, max });
    const left = moved.length < max ? [] : await source.recoverStale({ ...all, max: 1, dryRun: true });
    return { jobs: moved, more: left.length > 0 };
  });
  printResult(args, terminal, {
    value: jobs,
    names: jobs.map((job) => job.id),
    text: () => tell(jobs, dryRun, terminal),
  });
  if (more) remark(terminal, "More are stale: run it again, or raise --max.");
  return more && !dryRun ? EXIT_CODES.moreMatch.code : EXIT_CODES.ok.code;
};

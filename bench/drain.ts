import { setTimeout as sleep } from "node:timers/promises";
import { Cast, type CastPlan } from "./cast.ts";
import type { Contender } from "./contenders.ts";
import type { BenchServer } from "./server.ts";

/** What one drain measured. */
export interface Drain {
  readonly jobs: number;
  readonly seconds: number;
  readonly jobsPerSecond: number;
  readonly walBytesPerJob: number;
  /** CPU of the server and of the workers, microseconds per job, where the machine tells. */
  readonly serverUsPerJob: number | undefined;
  readonly workerUsPerJob: number | undefined;
}

/** Without any progress for this long a drain has failed, milliseconds. */
const STALL_MS = 60_000;

/** How often the workers are asked how far they are; and the database, once all handlers have run, milliseconds. */
const LOOK_MS = 20;

/** Drains jobs in a new database by so many processes. */
export async function drain(
  server: BenchServer,
  plan: CastPlan & { readonly processes: number; readonly jobs: number },
): Promise<Drain> {
  const cast = await Cast.open(server, plan);
  try {
    await cast.control.ask("insert", { from: 1, count: plan.jobs });
    await cast.settle();
    await cast.addWorkers(plan.processes);
    return await measureDrain(server, cast, plan.contender, plan.jobs, async () => cast.go());
  } finally {
    await cast.end();
  }
}

/**
 * Takes the time from `go` until the last completion is committed. Rejects unless every job, of ids 1 to `jobs`, ran once
 * and, where finished rows are kept, finished once (beside `kept` rows that were there before).
 */
export async function measureDrain(
  server: BenchServer,
  cast: Cast,
  contender: Contender,
  jobs: number,
  go: () => Promise<void>,
  kept = 0,
): Promise<Drain> {
  const before = { server: server.cpuSeconds(), workers: cast.cpuSeconds(), wal: await server.walBytes() };
  const goMs = Date.now();
  await go();
  const sum = await allRan(cast, jobs);
  while ((await cast.control.ask<number>("unfinished")) > 0) await sleep(LOOK_MS);
  const after = { server: server.cpuSeconds(), workers: cast.cpuSeconds(), wal: await server.walBytes() };

  if (sum !== (jobs * (jobs + 1)) / 2) throw new Error(`${contender.name}: not each of the ${jobs} jobs ran once`);
  const seconds =
    ((await lastCompletionMs(cast, contender, jobs, kept)) - (await beganMs(cast, contender, goMs))) / 1000;
  return {
    jobs,
    seconds,
    jobsPerSecond: jobs / seconds,
    walBytesPerJob: (after.wal - before.wal) / jobs,
    serverUsPerJob: perJob(before.server, after.server, jobs),
    workerUsPerJob: perJob(before.workers, after.workers, jobs),
  };
}

/** Where finished rows do not stay, the programs say when they first fetched and when the last completion was answered. */
interface Clock {
  readonly firstFetchMs?: number;
  readonly lastCompletionMs?: number;
}

async function beganMs(cast: Cast, contender: Contender, goMs: number): Promise<number> {
  if (contender.keeps) return goMs;
  const clocks = await Promise.all(cast.workers.map((worker) => worker.ask<Clock>("clock")));
  const first = Math.min(...clocks.map((clock) => clock.firstFetchMs ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(first) ? first : goMs;
}

async function lastCompletionMs(cast: Cast, contender: Contender, jobs: number, kept: number): Promise<number> {
  if (!contender.keeps) {
    const clocks = await Promise.all(cast.workers.map((worker) => worker.ask<Clock>("clock")));
    return Math.max(...clocks.map((clock) => clock.lastCompletionMs ?? 0));
  }
  const finished = await cast.control.ask<{ kept: number; distinct: number; lastCommitMs: number }>("finished");
  if (finished.kept !== jobs + kept || finished.distinct !== jobs + kept) {
    throw new Error(
      `${contender.name}: ${finished.kept} finished rows of ${finished.distinct} jobs, not ${jobs + kept}`,
    );
  }
  return finished.lastCommitMs;
}

/** Waits until so many handlers have run, and returns the sum of the ids they saw. */
async function allRan(cast: Cast, jobs: number): Promise<number> {
  let runs = -1;
  let changedAtMs = Date.now();
  for (;;) {
    const counts = await Promise.all(cast.workers.map((worker) => worker.ask<{ runs: number; sum: number }>("runs")));
    const now = counts.reduce((total, count) => total + count.runs, 0);
    if (now >= jobs) return counts.reduce((total, count) => total + count.sum, 0);
    if (now !== runs) changedAtMs = Date.now();
    runs = now;
    if (Date.now() - changedAtMs > STALL_MS) throw new Error(`no job ran for ${STALL_MS} ms; ${runs} of ${jobs} had`);
    await sleep(LOOK_MS);
  }
}

function perJob(before: number | undefined, after: number | undefined, jobs: number): number | undefined {
  return before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / jobs;
}

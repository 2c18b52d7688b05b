import { join } from "node:path";
import type { ProgramSource } from "./program.ts";
import { riverProgram } from "./river.ts";

/** What a queue is run with: a name, and in words what it stands for. */
export interface Settings {
  readonly name: string;
  readonly says: string;
  /** Variables of its workers. */
  readonly env?: Readonly<Record<string, string>>;
  /** It drains this share of the jobs, so that a round ends: a low rate shows with fewer. */
  readonly share: number;
  /** Process counts of B1. Empty: it is for latency only. */
  readonly processes: readonly number[];
  /** It is also run for latency (B3). */
  readonly latency?: boolean;
}

/** A job queue under the bench: a program that fills and inspects its database, and one that works. */
export interface Contender {
  readonly name: string;
  /** Whether finished jobs stay: then the database itself shows that each finished once, and when. */
  readonly keeps: boolean;
  /** Its worker is its own program and starts by itself; the bench holds it back by a hold. */
  readonly startsByItself: boolean;
  /** What it can do beside draining. */
  readonly can: {
    readonly pollOnly: boolean;
    readonly listen: boolean;
    readonly callersTransaction: boolean;
  };
  readonly control: ProgramSource;
  readonly worker: ProgramSource;
  /** Best first. */
  readonly settings: readonly [Settings, ...Settings[]];
}

const here = import.meta.dirname;
const node = (...path: string[]): ProgramSource => ({ command: process.execPath, args: [join(here, ...path)] });
const peer = (name: string) => ({
  startsByItself: false,
  control: node("peers", `${name}.mjs`),
  worker: node("peers", `${name}.mjs`),
});

/** Our own worker, as a user runs it. */
export const OURS: Contender = {
  name: "jobqueue",
  keeps: true,
  startsByItself: true,
  can: { pollOnly: true, listen: true, callersTransaction: true },
  control: node("ours", "control.ts"),
  worker: {
    command: join(here, "../cli/bin/jobqueue"),
    args: ["worker"],
    env: { JOBQUEUE_QUEUES: "bench", JOBQUEUE_HANDLERS: join(here, "ours/handlers.ts"), JOBQUEUE_HTTP_PORT: "0" },
    readyLine: "worker started",
  },
  settings: [
    // No other was faster: slots 24 for 10 changes nothing, prefetch 1000, 500 and 250 cost 3, 20 and 45 % (README.md).
    { name: "defaults", says: "10 slots, prefetch 2000", share: 1, processes: [1, 2, 4], latency: true },
  ],
};

/** The ceiling of the machine. */
export const RAW: Contender = {
  name: "raw SQL",
  keeps: true,
  can: { pollOnly: false, listen: false, callersTransaction: false },
  ...peer("raw"),
  settings: [
    {
      name: "ceiling",
      says: "3 sessions, batches of 1000, rows kept, no handler, no safety",
      share: 1,
      processes: [1],
    },
  ],
};

/** By default it logs every job, which costs it a third of its rate. */
const GRAPHILE_QUIET = { NO_LOG_SUCCESS: "1" };

/** The peer to beat. */
export const GRAPHILE: Contender = {
  name: "graphile-worker",
  keeps: false,
  can: { pollOnly: false, listen: true, callersTransaction: true },
  ...peer("graphile-worker"),
  settings: [
    {
      name: "best",
      says: "24 jobs, local queue 500, refetch delay 10 ms, completion batched, NO_LOG_SUCCESS: the preset of its perfTest",
      env: GRAPHILE_QUIET,
      share: 1,
      processes: [1, 2, 4],
    },
    {
      name: "prefetch",
      says: "the same with a local queue of 2000, our prefetch",
      env: GRAPHILE_QUIET,
      share: 1,
      processes: [1, 2, 4],
    },
    {
      name: "quick",
      says: "24 jobs, no local queue",
      env: GRAPHILE_QUIET,
      share: 0.02,
      processes: [],
      latency: true,
    },
    { name: "defaults", says: "1 job at a time, pool 10", share: 0.02, processes: [1], latency: true },
  ],
};

const PG_BOSS: Contender = {
  name: "pg-boss",
  keeps: true,
  can: { pollOnly: true, listen: true, callersTransaction: true },
  ...peer("pg-boss"),
  settings: [
    { name: "best", says: "batches of 5000, 2 at once, burst while full", share: 0.25, processes: [1, 2, 4] },
    {
      name: "quick",
      says: "1 job a fetch, 2 at once, poll every 0.5 s",
      share: 0.000_05,
      processes: [],
      latency: true,
    },
    { name: "defaults", says: "1 job a fetch, poll every 2 s", share: 0.000_025, processes: [1] },
  ],
};

const BULLMQ: Contender = {
  name: "bullmq",
  keeps: false,
  can: { pollOnly: false, listen: true, callersTransaction: false },
  ...peer("bullmq"),
  settings: [
    { name: "best", says: "concurrency 8, finished jobs removed", share: 0.01, processes: [1, 2, 4], latency: true },
    { name: "defaults", says: "concurrency 1, finished jobs kept", share: 0.01, processes: [1] },
  ],
};

const river = (program: ProgramSource): Contender => ({
  name: "river",
  keeps: true,
  startsByItself: false,
  can: { pollOnly: true, listen: true, callersTransaction: true },
  control: program,
  worker: program,
  settings: [
    {
      name: "best",
      says: "2000 workers, fetch every 2 ms, poll every 20 ms: the settings of its `river bench`",
      share: 0.5,
      processes: [1, 2, 4],
      latency: true,
    },
    {
      name: "defaults",
      says: "100 workers, fetch every 100 ms, poll every 1 s",
      share: 0.02,
      processes: [1],
      latency: true,
    },
  ],
});

/** All contenders that this machine can run; says which are left out, and why. */
export async function contenders(report: (line: string) => void): Promise<Contender[]> {
  const program = await riverProgram(report);
  return [RAW, OURS, GRAPHILE, PG_BOSS, BULLMQ, ...(program === undefined ? [] : [river(program)])];
}

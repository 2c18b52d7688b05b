import type { Hold, Job, JobState, WorkerRow } from "@jobqueue/store";
import { formatDuration } from "./duration.ts";
import { describeHold } from "./holds.ts";

/** What is known about a job's surroundings, as of the database's `now`. */
export interface Surroundings {
  readonly now: Date;
  /** The worker that runs it or ran it last. */
  readonly worker: WorkerRow | undefined;
  /** What holds its queue. */
  readonly holds: readonly Hold[];
  /** Live workers that serve its queue. */
  readonly serving: number;
}

function ordinal(number: number): string {
  const teen = number % 100 >= 11 && number % 100 <= 13;
  const suffix = teen ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${suffix}`;
}

function seconds(from: Date, to: Date): string {
  return formatDuration((to.getTime() - from.getTime()) / 1000);
}

/** A worker in words: its number, and its pod or host. */
export function describeWorker(worker: WorkerRow): string {
  const pod = worker.pod === null ? null : `pod ${worker.namespace ?? "?"}/${worker.pod}`;
  const place =
    pod ?? (worker.hostname === null ? "unknown place" : `host ${worker.hostname}, process ${worker.pid ?? "?"}`);
  const node = worker.node === null ? "" : ` on node ${worker.node}`;
  return `${worker.id}, ${place}${node}`;
}

const STATES: Readonly<Record<JobState, (job: Job, now: Date, attempt: string) => string>> = {
  pending: (job, now) => {
    const tried = job.attempt === 0 ? "" : `, after ${job.attempt} of ${job.maxAttempts} attempts`;
    return `pending, ready to run for ${seconds(job.runAt, now)}${tried}`;
  },
  deferred: (job, now) => `deferred for ${seconds(job.createdAt, now)}`,
  scheduled: (job, now) => `scheduled, ready to run in ${seconds(now, job.runAt)}`,
  running: (job, now, attempt) => {
    const stale = job.isStale ? "; stale: its worker is lost" : "";
    return `running for ${seconds(job.claimedAt ?? now, now)}, ${attempt}${stale}`;
  },
  failed: (_job, _now, attempt) => `failed, ${attempt}`,
  completed: (job, now, attempt) => `completed ${seconds(job.finishedAt ?? now, now)} ago, ${attempt}`,
  cancelled: (job, now) => `cancelled ${seconds(job.finishedAt ?? now, now)} ago`,
  dead: (job, now, attempt) => `dead for ${seconds(job.finishedAt ?? now, now)}, ${attempt}`,
};

/** The state of a job in words: what is, and since when. */
export function stateOf(job: Job, { now }: Surroundings): string {
  return STATES[job.state](job, now, `${ordinal(job.attempt)} of ${job.maxAttempts} attempts`);
}

function waiting(job: Job, { now, holds, serving }: Surroundings): string {
  const [hold] = holds;
  if (hold) return `It starts when queue ${job.queue} is resumed. Paused by ${describeHold(hold, now)}.`;
  if (serving === 0) return `Nothing will start it: no live worker serves queue ${job.queue}.`;
  const workers = serving === 1 ? "A live worker serves" : `${serving} live workers serve`;
  return `${workers} queue ${job.queue} and will take it in its turn: priority, then age.`;
}

const NEXT: Readonly<Record<JobState, (job: Job, around: Surroundings) => string>> = {
  deferred: (job) =>
    job.lastRecovery === null
      ? "It runs once the jobs that it depends on have ended."
      : "It waits for the jobs that it depends on, or, when its queue holds jobs that lost their worker, for a retry.",
  pending: waiting,
  scheduled: (job, around) => `It becomes pending in ${seconds(around.now, job.runAt)}. ${waiting(job, around)}`,
  failed: (job, around) => {
    const when = job.runAt > around.now ? `in ${seconds(around.now, job.runAt)}` : "now";
    return `Attempt ${job.attempt + 1} of ${job.maxAttempts} may start ${when}. ${waiting(job, around)}`;
  },
  running: (job) =>
    job.isStale
      ? "Recovery hands it on: any worker's sweep or the operator does that within seconds. The attempt is not spent, and nothing its old worker still writes will count."
      : "Its worker finishes it. Should the worker be lost, the job is handed on when the lease ends.",
  completed: () => "Nothing: it is done.",
  cancelled: () => "Nothing: it was cancelled.",
  dead: (job) =>
    job.deadReason === "poison"
      ? `Nothing: it lost its worker ${job.recoveries + 1} times, which suggests that the job itself takes workers down.`
      : "Nothing: its attempts are spent.",
};

/** What happens to a job next, and what it waits for, as a sentence or two. */
export function nextOf(job: Job, around: Surroundings): string {
  return NEXT[job.state](job, around);
}

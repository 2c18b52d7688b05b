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
  /** Jobs that it still waits for; their state is null when they are gone. */
  readonly dependencies: readonly { readonly job: string; readonly state: string | null; readonly policy: string }[];
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

/** Where a worker is: its pod or host. */
export function placeOf(worker: WorkerRow): string {
  if (worker.pod !== null) return `pod ${worker.namespace ?? "?"}/${worker.pod}`;
  return worker.hostname === null ? "unknown place" : `host ${worker.hostname}, process ${worker.pid ?? "?"}`;
}

/** A worker in words: its number, and its pod or host. */
export function describeWorker(worker: WorkerRow): string {
  const node = worker.node === null ? "" : ` on node ${worker.node}`;
  return `${worker.id}, ${placeOf(worker)}${node}`;
}

/** Whether a job is terminal. */
export function isOver(job: Job): boolean {
  return job.state === "completed" || job.state === "cancelled" || job.state === "dead";
}

/** Whether recovery holds it until somebody decides. */
export function isHeld(job: Job): boolean {
  return job.state === "deferred" && job.lastRecovery?.policy === "hold";
}

const STATES: Readonly<Record<JobState, (job: Job, now: Date, attempt: string) => string>> = {
  pending: (job, now) => {
    const tried = job.attempt === 0 ? "" : `, after ${job.attempt} of ${job.maxAttempts} attempts`;
    return `pending, ready to run for ${seconds(job.runAt, now)}${tried}`;
  },
  scheduled: (job, now) => `scheduled, ready to run in ${seconds(now, job.runAt)}`,
  running: (job, now, attempt) => {
    const stale = job.isStale ? "; stale: its worker is lost" : "";
    const cancelling = job.cancelRequested ? "; asked to stop" : "";
    return `running for ${seconds(job.claimedAt ?? now, now)}, ${attempt}${stale}${cancelling}`;
  },
  deferred: (job) => (isHeld(job) ? "deferred: held since its worker was lost" : "deferred: it waits for other jobs"),
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
  pending: waiting,
  scheduled: (job, around) => `It becomes pending in ${seconds(around.now, job.runAt)}. ${waiting(job, around)}`,
  failed: (job, around) => {
    const when = job.runAt > around.now ? `in ${seconds(around.now, job.runAt)}` : "now";
    return `Attempt ${job.attempt + 1} of ${job.maxAttempts} may start ${when}. ${waiting(job, around)}`;
  },
  deferred: (job, around) =>
    isHeld(job)
      ? `Nothing, until somebody decides: jobqueue retry ${job.id} runs it again, jobqueue cancel ${job.id} ends it.`
      : `It becomes pending when the jobs it depends on are over: jobqueue why ${job.id} names them. ${waiting(job, around)}`,
  running: (job) => {
    if (job.isStale) {
      return "Recovery hands it on: any worker's sweep or the operator does that within seconds. The attempt is not spent, and nothing its old worker still writes will count.";
    }
    return job.cancelRequested
      ? "Its worker stops it, and it is cancelled then. If it completes first, it is completed."
      : "Its worker finishes it. Should the worker be lost, the job is handed on when the lease ends.";
  },
  completed: () => "Nothing: it is done.",
  cancelled: () => "Nothing: it was cancelled.",
  dead: (job) => `Nothing by itself. ${job.recoveryHint ?? "It is dead."} jobqueue retry ${job.id}`,
};

/** What happens to a job next, and what it waits for, as a sentence or two. */
export function nextOf(job: Job, around: Surroundings): string {
  return NEXT[job.state](job, around);
}

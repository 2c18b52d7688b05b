import type { Job, JobState } from "@jobqueue/store";
import { EXIT_CODES } from "./exit-codes.ts";

/** Who asks, and why, for the audit trail. */
export interface By {
  readonly actor: string;
  readonly reason: string;
}

/** One of the things a person can do to jobs that exist: what the source is called with, and how its answers are told. */
export interface JobAct {
  /** The verb. */
  readonly name: "retry" | "cancel" | "delete";
  /** Of the verb, at the beginning of a sentence: `Retried`. */
  readonly done: string;
  /** What the source is asked to do it to one job; answers what became of it, `not_found`, or the state that forbids it. */
  readonly one: "retryJob" | "cancelJob" | "deleteJob";
  /** The same for all jobs that a filter finds, or to count them. */
  readonly many: "retryJobs" | "cancelJobs" | "deleteJobs";
  /** What it would answer for a job as it is now: what `one` answers. */
  predict(job: Job): string;
  /** What an answer that means success says about the job, such as `is retried: it is pending again.` */
  readonly says: Readonly<Record<string, string>>;
  /** Which jobs it never finds by flags, as a sentence. */
  readonly never: string;
  /** Why a state forbids it, or `duplicate`, and what to do instead, after the words `job 7`. `{id}` is replaced. */
  readonly refuses: Readonly<Partial<Record<JobState | "duplicate", string>>>;
}

/** What became of one job that was named. */
export interface Outcome {
  readonly id: string;
  readonly outcome: string;
  /** Whether it was done, or with --dry-run would be. */
  readonly done: boolean;
  /** In words, with what to do when it was refused. */
  readonly message: string;
}

/** What became of one job, in words. */
export function tellOutcome(
  act: Pick<JobAct, "says" | "refuses">,
  id: string,
  outcome: string,
  dryRun = false,
): Outcome {
  const says = act.says[outcome];
  if (says !== undefined) {
    return { id, outcome, done: true, message: dryRun ? `Job ${id} would be: ${outcome}.` : `Job ${id} ${says}` };
  }
  if (outcome === "not_found") {
    const message = `There is no job ${id}: it never was, or its history is kept no longer.`;
    return { id, outcome, done: false, message };
  }
  const why = act.refuses[outcome as JobState] ?? `is ${outcome}, which does not allow that.`;
  return { id, outcome, done: false, message: `Job ${id} ${why.replaceAll("{id}", id)}` };
}

/** How it ends when jobs were named: all done, none of them there, or some refused. */
export function exitOf(outcomes: readonly Outcome[]): number {
  if (outcomes.every(({ done }) => done)) return EXIT_CODES.ok.code;
  const onlyMissing = outcomes.every(({ outcome }) => outcome === "not_found");
  return onlyMissing ? EXIT_CODES.notFound.code : EXIT_CODES.refused.code;
}

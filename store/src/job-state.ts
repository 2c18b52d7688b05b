/**
 * The states of a job, the number each is stored as, and the legal transitions: one table, from which the documentation
 * is generated and against which a trigger holds the SQL in every test of the store. `jobs` keeps what is live,
 * `job_history` what is terminal.
 */
export const JOB_STATES = {
  deferred: {
    stored: 4,
    terminal: false,
    meaning: "waits for other jobs to end, or for a person after it lost its worker",
    next: {
      pending: "what it waited for has ended, or a person retries it",
      scheduled: "what it waited for has ended, and its run_at is still to come",
      cancelled: "a job it depends on was not completed, or a person cancels it",
    },
  },
  scheduled: {
    stored: 2,
    terminal: false,
    meaning: "waits for its run_at",
    next: {
      pending: "its run_at has come, or it is replaced",
      deferred: "it is replaced by one that waits for others",
      cancelled: "a person cancels it",
    },
  },
  pending: {
    stored: 0,
    terminal: false,
    meaning: "may be claimed now",
    next: {
      running: "a worker claims it",
      scheduled: "it is replaced by one whose run_at is still to come",
      deferred: "it is replaced by one that waits for others",
      cancelled: "a person cancels it",
    },
  },
  running: {
    stored: 1,
    terminal: false,
    meaning: "claimed: a worker holds its lease",
    next: {
      completed: "its handler finished",
      failed: "its handler failed and attempts are left",
      dead: "its last attempt failed, its error was permanent, or it lost too many workers",
      pending: "it is returned unstarted, or recovered from a lost worker",
      scheduled: "its handler snoozed it, or it was recovered together with many others",
      deferred: "it lost its worker, and its queue keeps such jobs for a person",
      cancelled: "its worker acknowledged a cancel, or it stopped for another reason after one was asked for",
    },
  },
  failed: {
    stored: 3,
    terminal: false,
    meaning: "an attempt failed; it waits for its next one",
    next: {
      pending: "its next attempt is due, a person retries it, or it is replaced",
      scheduled: "it is replaced by one whose run_at is still to come",
      deferred: "it is replaced by one that waits for others",
      cancelled: "a person cancels it",
    },
  },
  completed: { stored: 10, terminal: true, meaning: "its handler finished", next: {} },
  cancelled: {
    stored: 11,
    terminal: true,
    meaning: "a person, or the end of a job it depends on, cancelled it",
    next: {},
  },
  dead: {
    stored: 12,
    terminal: true,
    meaning: "its attempts, or its recoveries, are spent",
    next: { pending: "a person retries it: a new generation" },
  },
} as const satisfies Record<
  string,
  { stored: number; terminal: boolean; meaning: string; next: Readonly<Partial<Record<string, string>>> }
>;

/** State of a job. */
export type JobState = keyof typeof JOB_STATES;

/** All states, live ones first. */
export const JOB_STATE_NAMES = Object.keys(JOB_STATES) as readonly JobState[];

/** States in which an enqueue may leave a new job. */
export const FIRST_STATES = ["pending", "scheduled", "deferred"] as const satisfies readonly JobState[];

/** Whether a job may go from one state to another. */
export function isLegalTransition(from: JobState, to: JobState): boolean {
  return Object.hasOwn(JOB_STATES[from].next, to);
}

/** When a job goes from one state to another, in words; undefined when it may not. */
export function transitionReason(from: JobState, to: JobState): string | undefined {
  return (JOB_STATES[from].next as Partial<Record<JobState, string>>)[to];
}

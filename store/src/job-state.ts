/**
 * The states of a job, the number each is stored as, and the legal transitions: one table, from which the documentation
 * is generated and against which a test holds the SQL. `jobs` keeps what is live, `job_history` what is terminal.
 */
export const JOB_STATES = {
  pending: { stored: 0, terminal: false, meaning: "may be claimed now", next: ["running"] },
  running: {
    stored: 1,
    terminal: false,
    meaning: "claimed: a worker holds its lease",
    next: ["completed", "failed", "dead", "pending"],
  },
  scheduled: { stored: 2, terminal: false, meaning: "waits for its run_at", next: ["pending"] },
  failed: { stored: 3, terminal: false, meaning: "an attempt failed; it waits for its next one", next: ["pending"] },
  completed: { stored: 10, terminal: true, meaning: "its handler finished", next: [] },
  dead: { stored: 12, terminal: true, meaning: "its attempts, or its recoveries, are spent", next: [] },
} as const satisfies Record<string, { stored: number; terminal: boolean; meaning: string; next: readonly string[] }>;

/** State of a job. */
export type JobState = keyof typeof JOB_STATES;

/** All states, live ones first. */
export const JOB_STATE_NAMES = Object.keys(JOB_STATES) as readonly JobState[];

/** Whether a job may go from one state to another. */
export function isLegalTransition(from: JobState, to: JobState): boolean {
  return (JOB_STATES[from].next as readonly string[]).includes(to);
}

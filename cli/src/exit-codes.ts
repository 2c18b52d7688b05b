/** One way in which the command can end. */
export interface ExitCode {
  /** What the process exits with. */
  readonly code: number;
  /** What it means, as a sentence for the reference. */
  readonly meaning: string;
}

/** Every way in which the command ends. The reference and `jobqueue help` are made from this table. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: "Done." },
  failed: { code: 1, meaning: "It failed in a way that has no code of its own; the message says how." },
  usage: { code: 2, meaning: "The command line is wrong: unknown verb or flag, missing or malformed value." },
  notFound: { code: 3, meaning: "What was asked for is not there: job, queue, JobStore or Secret." },
  storeUnreachable: {
    code: 4,
    meaning: "The store, or the admin API, cannot be reached, or it refused the credentials.",
  },
  schemaMismatch: {
    code: 5,
    meaning: "The store's schema is not installed or has another version; see `jobqueue migrate`.",
  },
  clusterFailed: { code: 6, meaning: "The cluster cannot be reached, or it refused the request." },
  stillPaused: {
    code: 7,
    meaning: "`resume` is done, but something else keeps the queue paused; the message says what.",
  },
  refused: {
    code: 8,
    meaning:
      "Some of what was asked for was refused, such as deleting a running job; the message says what, why, and what to do.",
  },
  notConfirmed: { code: 9, meaning: "The question whether to go on was not answered with yes; nothing was changed." },
  moreMatch: { code: 10, meaning: "Done for as many jobs as --max allows; more match, so run it again." },
  invalidManifest: {
    code: 11,
    meaning:
      "The file given with -f is no manifest that can be used: not YAML, not our kind, or the API server refuses it.",
  },
  faulty: { code: 12, meaning: "`doctor` found faults of the set-up; it says which, and what to do." },
  interrupted: { code: 130, meaning: "Interrupted by Ctrl-C; what was already committed stays." },
} as const satisfies Record<string, ExitCode>;

/** The name of one way to end. */
export type ExitName = keyof typeof EXIT_CODES;

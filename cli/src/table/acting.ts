import { OUTPUT, SOURCE } from "../flag-groups.ts";
import { CHOOSING, DRY_RUN, MAX, REASON, YES } from "../job-flags.ts";
import type { Flag, Verb } from "../verb.ts";

const OLDER_THAN: Flag = {
  name: "older-than",
  type: "duration",
  placeholder: "DURATION",
  summary: "Only jobs that were enqueued longer ago than this, or died longer ago.",
};

const ACT_FLAGS: readonly Flag[] = [OLDER_THAN, DRY_RUN, MAX, YES, REASON];

const IDS = {
  name: "ID",
  required: false,
  many: true,
  summary: "Ids of the jobs; without any, the flags of 'Which jobs' choose them.",
};

const CHOICE =
  "Jobs are named by their ids, or chosen by flags. With flags it counts first, shows a sample and asks; without a terminal --yes is needed.";

/** Verbs that change jobs that exist. */
export const ACTING: readonly Verb[] = [
  {
    name: "retry",
    summary: "Run dead, failed or held jobs again.",
    description: [
      "A dead job begins a new generation: attempts start at 0 again, its errors and history stay. A failed one does so too, and does not wait any longer.",
      CHOICE,
      "Ends with code 8 when a job is in a state that cannot be retried: completed and cancelled ones stay what they are, running ones are not over.",
    ],
    positionals: [IDS],
    flags: ACT_FLAGS,
    groups: [CHOOSING, OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue retry 4711 --reason 'mail server is back'", does: "one job" },
      { command: "jobqueue retry --queue mailers --state dead --dry-run", does: "how many, and which" },
      { command: "jobqueue retry --queue mailers --state dead --yes", does: "all of them, from a script" },
    ],
    load: () => import("../verbs/retry.ts"),
  },
  {
    name: "cancel",
    summary: "Cancel jobs: those that wait at once, those that run as soon as their worker answers.",
    description: [
      "A running job is asked to stop: its handler is aborted, and the job is cancelled when the worker acknowledges. If it completes first, it is completed. Should its worker be lost, recovery cancels it.",
      CHOICE,
      "Ends with code 8 when a job is over already.",
    ],
    positionals: [IDS],
    flags: ACT_FLAGS,
    groups: [CHOOSING, OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue cancel 4711 4712", does: "two jobs" },
      {
        command: "jobqueue cancel --queue imports --label customer=acme --reason 'customer left'",
        does: "all jobs of a customer",
      },
    ],
    load: () => import("../verbs/cancel.ts"),
  },
  {
    name: "delete",
    summary: "Delete jobs that have not started, with all that is known about them.",
    description: [
      "Leaves nothing but the audit event; `cancel` keeps the job in the history. Running jobs cannot be deleted, and those that are over go when their history does.",
      CHOICE,
    ],
    positionals: [IDS],
    flags: ACT_FLAGS,
    groups: [CHOOSING, OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue delete 4711", does: "one job" },
      { command: "jobqueue delete --queue imports --older-than 7d --dry-run", does: "how many are that old" },
    ],
    load: () => import("../verbs/delete.ts"),
  },
  {
    name: "recover-stale",
    summary: "Take running jobs from workers that are lost, and hand them on.",
    description: [
      "Every worker's sweep and the operator do this by themselves; it is here to look, and for when none of them is there. A stale job is one whose worker is gone, or did not renew its lease, or that ran past its time limit.",
      "What becomes of a job is up to it and its queue (on-worker-loss) unless --policy says otherwise. No attempt is spent.",
      "Shows what would move, and asks; without a terminal --yes is needed. With --dry-run it only shows.",
    ],
    positionals: [],
    flags: [
      { name: "queue", type: "text", placeholder: "QUEUE", summary: "Only jobs of this queue." },
      { name: "worker", type: "text", placeholder: "ID", summary: "Only jobs of this worker." },
      {
        ...OLDER_THAN,
        summary: "Only jobs that were claimed longer ago than this.",
      },
      {
        name: "policy",
        type: "choice",
        choices: ["retry", "fail", "hold"],
        placeholder: "POLICY",
        summary: "Run them again, make them dead, or hold them until somebody retries them.",
        default: "that of the job, else of its queue",
      },
      DRY_RUN,
      MAX,
      YES,
      REASON,
    ],
    groups: [OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue recover-stale --dry-run", does: "what would move, and why" },
      {
        command: "jobqueue recover-stale --queue imports --policy hold --reason 'takes workers down' --yes",
        does: "keep them from the next worker",
      },
    ],
    load: () => import("../verbs/recover-stale.ts"),
  },
];

import { CONNECTION, OUTPUT, SOURCE, WATCHABLE } from "../flag-groups.ts";
import { CHOOSING } from "../job-flags.ts";
import type { Flag, Verb } from "../verb.ts";

/** What audit events are about, as in the store (a test compares them). */
export const AUDIT_ACTIONS = [
  "hold",
  "release",
  "configure_queue",
  "configure_store",
  "workers_gone",
  "recover_stale",
  "retry",
  "cancel",
  "delete",
  "delete_queue",
  "put_schedule",
  "delete_schedule",
  "pause_schedule",
  "trigger_schedule",
  "grant_role",
  "create_api_key",
  "revoke_api_key",
  "reveal",
  "configure_pool",
  "open_restart",
  "advance_restart",
  "drain_workers",
  "release_workers",
  "take_term",
] as const;

const LIMIT: Flag = {
  name: "limit",
  type: "integer",
  placeholder: "N",
  minimum: 1,
  maximum: 10_000,
  summary: "At most so many.",
  default: "50",
};

/** Verbs that show something and change nothing. */
export const LOOKING: readonly Verb[] = [
  {
    name: "status",
    summary: "Show queues: their jobs, the age of the oldest, who paused them and why.",
    description: [
      "FAILED are jobs that wait for another attempt, DEAD those that got their last one, STALE running jobs whose worker is lost.",
      "OLDEST is how long the job that waits longest has been ready to run. Beneath the table: who paused what, deferred jobs and limits.",
    ],
    positionals: [{ name: "QUEUE", required: false, summary: "Only this queue." }],
    flags: [],
    groups: [WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue status", does: "all queues of the store" },
      { command: "jobqueue status mailers -o json", does: "one queue, for a script" },
      { command: "jobqueue status --watch", does: "all queues, again every two seconds" },
      {
        command: "jobqueue status -n shop --store default",
        does: "the store that a JobStore of the current cluster names",
      },
    ],
    load: () => import("../verbs/status.ts"),
  },
  {
    name: "jobs",
    summary: "List jobs, newest first.",
    description: [
      "Shows at most --limit jobs of every state, finished ones included as long as their history is kept.",
      "STATE says of a running job also that it is stale (its worker is lost), or cancelling (somebody cancelled it and its worker has not answered yet).",
    ],
    positionals: [],
    flags: [{ name: "stale", type: "switch", summary: "Only running jobs whose worker is lost." }, LIMIT],
    groups: [CHOOSING, WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue jobs --queue mailers --state dead", does: "what got its last attempt" },
      { command: "jobqueue jobs --label customer=acme --tag invoice", does: "what belongs together" },
      { command: "jobqueue jobs --state running -o name", does: "only the ids, one per line" },
    ],
    load: () => import("../verbs/jobs.ts"),
  },
  {
    name: "job",
    summary: "Show everything about one job, in words.",
    description: ["Its state and what happens next, attempts and errors, worker and lease, payload and result."],
    positionals: [{ name: "ID", required: true, summary: "Id of the job, as `jobqueue jobs` and `enqueue` print it." }],
    flags: [],
    groups: [WATCHABLE, ...SOURCE],
    examples: [{ command: "jobqueue job 4711", does: "one job" }],
    load: () => import("../verbs/job.ts"),
  },
  {
    name: "why",
    summary: "Say why a queue or a job does not run, the most important reason first, and what to do.",
    description: [
      "A whole number is the id of a job, everything else the name of a queue; of a number that is no job, the queue of that name.",
    ],
    positionals: [{ name: "WHAT", required: true, summary: "Name of a queue, or id of a job." }],
    flags: [],
    groups: [WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue why mailers", does: "a queue that stands still" },
      { command: "jobqueue why 4711", does: "a job that does not start" },
    ],
    load: () => import("../verbs/why.ts"),
  },
  {
    name: "explain",
    summary:
      "Say what the operator sees of a JobQueue, what its rules say to that, and what it would do; without doing it.",
    description: [
      "Asks the operator's own rules, in their order, about what can be read with your rights. With -f about a file that is not applied yet, laid over what exists: a dry run of the API server fills in defaults and checks its rules. Nothing is changed, in the cluster or in the store.",
      "The store is reached as its JobStore says, else by DATABASE_URL. What cannot be read, for want of a right or of a way, is unknown, and the operator waits for what is unknown.",
    ],
    positionals: [
      { name: "NAME", required: false, summary: "Name of the JobQueue; with -f, which one of several in the file." },
    ],
    flags: [
      {
        name: "filename",
        short: "f",
        type: "text",
        placeholder: "FILE",
        summary: "A manifest that is not applied yet; - reads standard input.",
      },
      {
        name: "field-manager",
        type: "text",
        placeholder: "NAME",
        summary: "With -f: who would apply it by server-side apply, which takes away what only that one set.",
        default: "kubectl",
      },
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue explain mailers -n shop", does: "why a JobQueue is as it is, and what happens next" },
      { command: "jobqueue explain -f queue.yaml", does: "what applying the file would lead to" },
      { command: "kubectl jobqueue explain mailers -o json", does: "as a plugin of kubectl, for a script" },
    ],
    load: () => import("../verbs/explain.ts"),
  },
  {
    name: "workers",
    summary: "List workers: are they alive, what do they do, when does their lease end.",
    description: [
      "VERDICT: healthy; draining (it takes no more jobs); gone, fenced or lapsed (its jobs are recovered); loop blocked (it beats, and its main loop stands); slots stuck (handlers ignore that they were to stop); claim stalled (free slots, and it claims nothing). BEAT is the age of the last heartbeat, LOOP how long the main loop had been standing at that time, LEASE what is left of the lease: at zero its jobs are recovered.",
    ],
    positionals: [],
    flags: [
      { name: "queue", type: "text", placeholder: "QUEUE", summary: "Only workers that serve this queue." },
      { name: "all", type: "switch", summary: "Also those that are gone, as long as they are remembered." },
    ],
    groups: [WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue workers", does: "all that are there" },
      { command: "jobqueue workers --queue mailers --all", does: "also those of before" },
    ],
    load: () => import("../verbs/workers.ts"),
  },
  {
    name: "holds",
    summary: "List what pauses queues: who, why, since when, until when.",
    description: ["A hold of '*' pauses every queue."],
    positionals: [{ name: "QUEUE", required: false, summary: "Only what holds this queue, holds of '*' included." }],
    flags: [],
    groups: [WATCHABLE, ...SOURCE],
    examples: [{ command: "jobqueue holds", does: "all of the store" }],
    load: () => import("../verbs/holds.ts"),
  },
  {
    name: "schedules",
    summary: "List schedules, with their next runs.",
    description: ["With a name shows the whole schedule: its next ticks, and what became of the last ones."],
    positionals: [{ name: "NAME", required: false, summary: "Only this schedule." }],
    flags: [],
    groups: [WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue schedules", does: "all of the store" },
      { command: "jobqueue schedules nightly", does: "one, with its ticks" },
    ],
    load: () => import("../verbs/schedules.ts"),
  },
  {
    name: "audit",
    summary: "List what people and the operator changed, the newest first.",
    description: ["-o json also says what was before and what was after."],
    positionals: [],
    flags: [
      { name: "action", type: "choice", choices: AUDIT_ACTIONS, placeholder: "ACTION", summary: "Only this." },
      { name: "actor", type: "text", placeholder: "TEXT", summary: "Only by actors whose name contains this." },
      {
        name: "target",
        type: "text",
        placeholder: "TEXT",
        summary: "Only about this: a queue, the id of a job, a schedule.",
      },
      { name: "since", type: "duration", placeholder: "DURATION", summary: "Only the last so much time." },
      LIMIT,
    ],
    groups: [WATCHABLE, ...SOURCE],
    examples: [
      { command: "jobqueue audit --since 1h", does: "what happened in the last hour" },
      { command: "jobqueue audit --target mailers --action hold", does: "who paused a queue" },
    ],
    load: () => import("../verbs/audit.ts"),
  },
  {
    name: "doctor",
    summary: "Look for the commonest faults of a set-up, and say what to do about each.",
    description: [
      "A store that is not installed or has another version, clocks that differ, queues that nobody serves, kinds that nobody handles, queues that are stopped, hung workers, stale jobs, forgotten pauses, old snapshots, autovacuum that is off or behind, ids that run out, mixed versions. Changes nothing.",
      "Ends with code 12 when it found any, and with code 4 when the store cannot be reached, refuses the user, or is a standby.",
    ],
    positionals: [],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue doctor", does: "of the store of DATABASE_URL, or of the current context" },
      { command: "jobqueue doctor -o name", does: "only the names of the faults, for a script" },
    ],
    load: () => import("../verbs/doctor.ts"),
  },
  {
    name: "report",
    summary: "Print what somebody who helps needs to know of a store, without secrets and payloads.",
    description: [
      "Versions, settings, queues with their counts and policies, holds, workers, schedules, old snapshots, how vacuum does, and what `doctor` found. No payload, result, error, label or key of a job, and no address or credential. Names of queues, kinds, hosts and people are in it, and the reasons they gave: read it before you send it.",
    ],
    positionals: [],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue report > report.yaml", does: "to attach to a question" }],
    load: () => import("../verbs/report.ts"),
  },
];

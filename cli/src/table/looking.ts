import { CONNECTION, OUTPUT } from "../flag-groups.ts";
import { JOB_STATES } from "../job-flags.ts";
import type { Verb } from "../verb.ts";

/** Verbs that show something and change nothing. */
export const LOOKING: readonly Verb[] = [
  {
    name: "status",
    summary: "Show queues: their jobs, the age of the oldest, who paused them and why.",
    description: [
      "FAILED are jobs that wait for another attempt, DEAD those that got their last one, STALE running jobs whose worker is lost.",
      "OLDEST is how long the job that waits longest has been ready to run.",
    ],
    positionals: [{ name: "QUEUE", required: false, summary: "Only this queue." }],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue status", does: "all queues of the store" },
      { command: "jobqueue status mailers -o json", does: "one queue, for a script" },
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
    ],
    positionals: [],
    flags: [
      { name: "queue", type: "text", placeholder: "QUEUE", summary: "Only jobs of this queue." },
      { name: "state", type: "choice", placeholder: "STATE", choices: JOB_STATES, summary: "Only jobs in this state." },
      { name: "kind", type: "text", placeholder: "KIND", summary: "Only jobs of this kind." },
      {
        name: "limit",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 10_000,
        summary: "At most so many.",
        default: "50",
      },
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue jobs --queue mailers --state dead", does: "what got its last attempt" },
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
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue job 4711", does: "one job" }],
    load: () => import("../verbs/job.ts"),
  },
];

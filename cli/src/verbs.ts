import { CLUSTER, CONNECTION, OUTPUT } from "./flag-groups.ts";
import type { Verb } from "./verb.ts";

/** States of a job, as in the store (a test compares them); written here so that parsing does not load the store. */
export const JOB_STATES = ["pending", "running", "scheduled", "failed", "completed", "dead"] as const;

const QUEUE_OR_ALL = {
  name: "QUEUE",
  required: true,
  summary: "Name of the queue, or '*' for every queue of the store.",
};

/** Every verb of the command, in the order of the help. Parsing, help and reference are made from this table. */
export const VERBS: readonly Verb[] = [
  {
    name: "enqueue",
    summary: "Add jobs to a queue.",
    description: [
      "Adds one job, or --count of them in a few statements. The payload is JSON: the value itself, @FILE, or - for standard input.",
      "With --count, {i} in the payload and in --unique-key is replaced by the number of the job, from 1 on: --payload '{\"document\": {i}}'.",
      "A unique key that a live job of the queue already has adds nothing: the outcome is 'duplicate', with the id of that job.",
    ],
    positionals: [
      { name: "QUEUE", required: true, summary: "Name of the queue. It appears on first use." },
      { name: "KIND", required: true, summary: "Kind of job: the name that its handler is registered under." },
    ],
    flags: [
      { name: "payload", type: "text", placeholder: "JSON|@FILE|-", summary: "The payload.", default: "{}" },
      {
        name: "count",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 10_000_000,
        summary: "How many jobs.",
        default: "1",
      },
      {
        name: "priority",
        type: "integer",
        placeholder: "N",
        minimum: -32_768,
        maximum: 32_767,
        summary: "Lower runs first.",
        default: "0",
      },
      {
        name: "delay",
        type: "duration",
        placeholder: "DURATION",
        summary: "Not before this time from now has passed.",
      },
      {
        name: "unique-key",
        type: "text",
        placeholder: "KEY",
        summary: "At most one live job of the queue has this key.",
      },
      {
        name: "tag",
        type: "text",
        placeholder: "TEXT",
        summary: "A word to find the jobs by, in SQL and in the output of job.",
      },
      {
        name: "max-attempts",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 1000,
        summary: "How often handlers may try.",
        default: "5",
      },
      { name: "timeout", type: "duration", placeholder: "DURATION", summary: "How long one attempt may take." },
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: `jobqueue enqueue mailers welcome --payload '{"to": "ana@example.org"}'`, does: "one job" },
      {
        command: `jobqueue enqueue documents checksum --count 500 --payload '{"number": {i}}'`,
        does: "five hundred numbered jobs",
      },
      {
        command: "jobqueue enqueue reports monthly --unique-key 2026-08 --delay 2h",
        does: "once, not before two hours from now",
      },
      {
        command: "generate | jobqueue enqueue imports load --payload -",
        does: "the payload that another program prints",
      },
    ],
    load: () => import("./verbs/enqueue.ts"),
  },
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
    load: () => import("./verbs/status.ts"),
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
    load: () => import("./verbs/jobs.ts"),
  },
  {
    name: "job",
    summary: "Show everything about one job, in words.",
    description: ["Its state and what happens next, attempts and errors, worker and lease, payload and result."],
    positionals: [{ name: "ID", required: true, summary: "Id of the job, as `jobqueue jobs` and `enqueue` print it." }],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [{ command: "jobqueue job 4711", does: "one job" }],
    load: () => import("./verbs/job.ts"),
  },
  {
    name: "pause",
    summary: "Hold a queue: no worker starts another job of it.",
    description: [
      "Puts a hold of yours on the queue, beside those of others: a queue is paused while anyone holds it. Jobs that run are finished.",
      "The hold is enforced by the store in the claim itself, so it takes effect at once, and also while operator and workers restart.",
      "Pausing again changes the reason and the end of your hold.",
    ],
    positionals: [QUEUE_OR_ALL],
    flags: [
      {
        name: "reason",
        type: "text",
        placeholder: "TEXT",
        required: true,
        summary: "Why: whoever is on call next will read it.",
      },
      { name: "for", type: "duration", placeholder: "DURATION", summary: "End by itself after this time." },
      { name: "name", type: "text", placeholder: "NAME", summary: "Name of the hold.", default: "your user name" },
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      {
        command: "jobqueue pause mailers --reason 'SMTP relay is down' --for 1h",
        does: "one queue, for an hour at most",
      },
      {
        command: "jobqueue pause '*' --reason 'moving the database' --name move",
        does: "every queue of the store, also future ones",
      },
    ],
    load: () => import("./verbs/pause.ts"),
  },
  {
    name: "resume",
    summary: "Release the holds that people put on a queue.",
    description: [
      "Releases the holds made with `pause` and through the API, or only the one of --name.",
      "The hold named 'spec' belongs to the JobQueue object and follows its spec.state, so it stays. When that, or a hold on '*', keeps the queue paused, the command says so, says what to do, and ends with code 7.",
    ],
    positionals: [QUEUE_OR_ALL],
    flags: [
      { name: "name", type: "text", placeholder: "NAME", summary: "Release only the hold of this name." },
      {
        name: "reason",
        type: "text",
        placeholder: "TEXT",
        summary: "Why, for the audit trail.",
        default: "resumed by hand",
      },
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue resume mailers", does: "release what people hold" },
      { command: "jobqueue resume '*' --name move", does: "release one hold" },
    ],
    load: () => import("./verbs/resume.ts"),
  },
  {
    name: "migrate",
    summary: "Install or upgrade the schema of a store.",
    description: [
      "Runs the migrations that are missing, each in its own transaction, and does nothing when there are none. Safe to run twice at once.",
      "The operator does this by itself; run it where there is no operator, or with rights that the operator does not have.",
    ],
    positionals: [],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue migrate --store-url postgres://owner@db.example.org/shop", does: "install the schema" },
    ],
    load: () => import("./verbs/migrate.ts"),
  },
  {
    name: "worker",
    summary: "Run jobs: the process of a worker pod, also usable by hand.",
    description: [
      "Claims jobs of its queues, strictly in the order given, and runs their handlers until SIGTERM; then drains.",
      "Ends with codes of its own: 0 drained, 64 wrong settings or handlers, 70 no progress was possible, 71 its watchdog died.",
    ],
    positionals: [],
    flags: [],
    groups: [],
    examples: [
      {
        command: "jobqueue worker --queues high,default --handlers ./handlers.yaml --store-url postgres://…",
        does: "two queues, by hand",
      },
    ],
    settings: async () => (await import("./verbs/worker.ts")).settings,
    load: () => import("./verbs/worker.ts"),
  },
  {
    name: "operator",
    summary: "Run the operator: makes JobStores and JobQueues of a cluster come true.",
    description: [
      "Started by the Helm chart. Uses the service account of its pod, or the current kubeconfig outside of a cluster.",
    ],
    positionals: [],
    flags: [],
    groups: [],
    examples: [
      {
        command: "jobqueue operator --namespace default --watch-namespaces shop --leader-election false",
        does: "by hand, for one namespace",
      },
    ],
    settings: async () => (await import("./verbs/operator.ts")).settings,
    load: () => import("./verbs/operator.ts"),
  },
  {
    name: "version",
    summary: "Show the version of this command, and of the schema it needs.",
    description: [
      "With --cluster also asks the cluster whether it serves the kinds JobStore and JobQueue; exit code 3 when it does not.",
    ],
    positionals: [],
    flags: [{ name: "cluster", type: "switch", summary: "Also check the kinds that the cluster serves." }],
    groups: [OUTPUT, CLUSTER],
    examples: [
      { command: "jobqueue version", does: "this command" },
      { command: "jobqueue version --cluster", does: "and the cluster of the current context" },
    ],
    load: () => import("./verbs/version.ts"),
  },
  {
    name: "help",
    summary: "Show how to use the command, or one verb.",
    description: [],
    positionals: [{ name: "VERB", required: false, summary: "The verb." }],
    flags: [],
    groups: [],
    examples: [{ command: "jobqueue help pause", does: "the same as jobqueue pause --help" }],
    load: () => import("./verbs/help.ts"),
  },
];

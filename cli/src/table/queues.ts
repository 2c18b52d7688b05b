import { CONNECTION, OUTPUT, SOURCE } from "../flag-groups.ts";
import { REASON } from "../job-flags.ts";
import type { Flag, Verb } from "../verb.ts";

const QUEUE_OR_ALL = {
  name: "QUEUE",
  required: true,
  summary: "Name of the queue, or '*' for every queue of the store.",
};

function keep(what: string, words: string, fallback: string): Flag {
  return {
    name: `keep-${what}`,
    type: "duration",
    placeholder: "DURATION",
    summary: `How long ${words} are kept.`,
    default: fallback,
  };
}

/** Verbs that change how queues are worked off. */
export const QUEUES: readonly Verb[] = [
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
    groups: [OUTPUT, ...SOURCE],
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
    load: () => import("../verbs/pause.ts"),
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
    groups: [OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue resume mailers", does: "release what people hold" },
      { command: "jobqueue resume '*' --name move", does: "release one hold" },
    ],
    load: () => import("../verbs/resume.ts"),
  },
  {
    name: "configure",
    summary: "Show or change the policy of a queue: limits, and what jobs get that say nothing themselves.",
    description: [
      "Without a flag it shows the policy. What is not named stays as it is; --unset puts a setting back to its default.",
      "--max-attempts, --timeout and --result-ttl are for jobs that are enqueued from now on; everything else is in force at once, also for jobs that are there.",
      "Where a JobQueue object manages the queue, change its spec instead: the operator puts back what it says.",
    ],
    positionals: [{ name: "QUEUE", required: true, summary: "Name of the queue. It appears on first use." }],
    flags: [
      {
        name: "max-running",
        type: "integer",
        placeholder: "N",
        minimum: 0,
        maximum: 1_000_000,
        summary: "Most jobs that run at once, on all workers; 0 stops the queue.",
        default: "no limit",
      },
      {
        name: "max-running-per-key",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 1_000_000,
        summary: "Most jobs of one concurrency key that run at once.",
        default: "no limit",
      },
      {
        name: "fair",
        type: "choice",
        choices: ["on", "off"],
        placeholder: "on|off",
        summary: "Whether concurrency keys take turns, so that one with many jobs does not keep the others waiting.",
        default: "off",
      },
      {
        name: "rate",
        type: "text",
        placeholder: "COUNT/TIME",
        summary: "Most starts per time: 10/1m, 100/s.",
        default: "no limit",
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
      {
        name: "retry",
        type: "text",
        placeholder: "WAITS",
        summary: "How long a failed attempt is waited after: 10s,1m,5m, or exponential:1s..1h~20%.",
        default: "exponential:1s..1h~20%",
      },
      {
        name: "timeout",
        type: "duration",
        placeholder: "DURATION",
        summary: "How long one attempt may take.",
        default: "no limit",
      },
      {
        name: "result-ttl",
        type: "duration",
        placeholder: "DURATION",
        summary: "How long results are kept; 0s: not at all.",
        default: "as long as the history",
      },
      {
        name: "on-worker-loss",
        type: "choice",
        choices: ["retry", "fail", "hold"],
        placeholder: "POLICY",
        summary: "What recovery does with a job whose worker is lost.",
        default: "retry",
      },
      {
        name: "max-recoveries",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 1000,
        summary: "How many lost workers make a job dead (poison).",
        default: "3",
      },
      {
        name: "unset",
        type: "text",
        placeholder: "SETTING",
        repeatable: true,
        summary: "Back to its default: the name of one of these flags, without dashes.",
      },
      REASON,
    ],
    groups: [OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue configure mailers", does: "show the policy" },
      {
        command: "jobqueue configure mailers --max-running 20 --rate 100/1m",
        does: "as much as the mail server takes",
      },
      { command: "jobqueue configure imports --fair on --max-running-per-key 2", does: "customers take turns" },
      { command: "jobqueue configure mailers --unset rate", does: "no rate limit any more" },
    ],
    load: () => import("../verbs/configure.ts"),
  },
  {
    name: "configure-store",
    summary: "Show or change how long the store keeps what is over.",
    description: ["Without a flag it shows the settings. What is not named stays as it is."],
    positionals: [],
    flags: [
      keep("completed", "completed jobs", "7d"),
      keep("cancelled", "cancelled jobs", "7d"),
      keep("dead", "dead jobs", "30d"),
      keep("audit", "audit events", "365d"),
      {
        name: "unset",
        type: "text",
        placeholder: "SETTING",
        repeatable: true,
        summary: "Back to its default: the name of one of these flags, without dashes.",
      },
      REASON,
    ],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue configure-store", does: "show the settings" },
      {
        command: "jobqueue configure-store --keep-dead 90d --keep-completed 1d",
        does: "dead jobs longer, others shorter",
      },
    ],
    load: () => import("../verbs/configure-store.ts"),
  },
];

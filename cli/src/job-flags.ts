import type { Flag, FlagGroup } from "./verb.ts";

/** States of a job, as in the store (a test compares them); written here so that parsing does not load the store. */
export const JOB_STATES = [
  "pending",
  "running",
  "scheduled",
  "failed",
  "deferred",
  "completed",
  "cancelled",
  "dead",
] as const;

/** Which jobs: the filter of every verb that lists jobs or acts on many. */
export const CHOOSING: FlagGroup = {
  title: "Which jobs",
  flags: [
    { name: "queue", type: "text", placeholder: "QUEUE", summary: "Only jobs of this queue." },
    { name: "kind", type: "text", placeholder: "KIND", summary: "Only jobs of this kind." },
    { name: "state", type: "choice", placeholder: "STATE", choices: JOB_STATES, summary: "Only jobs in this state." },
    { name: "tag", type: "text", placeholder: "TEXT", summary: "Only jobs with this tag." },
    {
      name: "label",
      type: "text",
      placeholder: "NAME=VALUE",
      repeatable: true,
      summary: "Only jobs with this label, or with all of them.",
    },
    {
      name: "worker",
      type: "text",
      placeholder: "ID",
      summary: "Only jobs that this worker runs, or ran last.",
    },
    { name: "unique-key", type: "text", placeholder: "KEY", summary: "Only the job with this unique key." },
  ],
};

/** What a job that is enqueued or scheduled may say, and what holds when it says nothing. */
export const JOB_OPTIONS: FlagGroup = {
  title: "Options of the job",
  flags: [
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
      name: "max-attempts",
      type: "integer",
      placeholder: "N",
      minimum: 1,
      maximum: 1000,
      summary: "How often handlers may try.",
      default: "the queue's, else 5",
    },
    {
      name: "retry",
      type: "text",
      placeholder: "WAITS",
      summary:
        "How long a failed attempt is waited after: 10s,1m,5m (the last repeats), or exponential:1s..1h~20% (doubles; the share that is random).",
      default: "the queue's, else exponential:1s..1h~20%",
    },
    {
      name: "timeout",
      type: "duration",
      placeholder: "DURATION",
      summary: "How long one attempt may take.",
      default: "the queue's, else no limit",
    },
    {
      name: "result-ttl",
      type: "duration",
      placeholder: "DURATION",
      summary: "How long the result is kept; 0s: not at all.",
      default: "the queue's, else as long as the job's history",
    },
    {
      name: "on-worker-loss",
      type: "choice",
      choices: ["retry", "fail", "hold"],
      placeholder: "POLICY",
      summary: "What recovery does when its worker is lost.",
      default: "the queue's, else retry",
    },
    {
      name: "concurrency-key",
      type: "text",
      placeholder: "KEY",
      summary: "What it shares limits and turns with, such as a tenant; see `configure`.",
    },
    { name: "tag", type: "text", placeholder: "TEXT", summary: "A word to find the job by." },
    {
      name: "label",
      type: "text",
      placeholder: "NAME=VALUE",
      repeatable: true,
      summary: "A name and a value to find the job by.",
    },
  ],
};

/** The payload, of every verb that makes jobs. */
export const PAYLOAD: Flag = {
  name: "payload",
  type: "text",
  placeholder: "JSON|@FILE|-",
  summary: "The payload.",
  default: "{}",
};

/** Why, of every verb that changes something. */
export const REASON: Flag = {
  name: "reason",
  type: "text",
  placeholder: "TEXT",
  summary: "Why, for the audit trail.",
  default: "by hand",
};

/** Look before you leap, of every verb that acts on what is found by a filter. */
export const DRY_RUN: Flag = {
  name: "dry-run",
  type: "switch",
  summary: "Only show how many and which; change nothing.",
};

/** How many at most, of every verb that acts on what is found by a filter. */
export const MAX: Flag = {
  name: "max",
  type: "integer",
  placeholder: "N",
  minimum: 1,
  maximum: 100_000,
  summary: "At most so many; says when more match, and ends with code 10 then.",
  default: "1000",
};

/** Go on without the question, of every verb that asks one. */
export const YES: Flag = {
  name: "yes",
  short: "y",
  type: "switch",
  summary: "Do not ask; needed where no terminal can be asked.",
};

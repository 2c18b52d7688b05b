import { CONNECTION, OUTPUT } from "../flag-groups.ts";
import type { Verb } from "../verb.ts";

/** The verb that makes jobs. */
export const ENQUEUEING: readonly Verb[] = [
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
    load: () => import("../verbs/enqueue.ts"),
  },
];

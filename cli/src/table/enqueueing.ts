import { OUTPUT, SOURCE } from "../flag-groups.ts";
import { JOB_OPTIONS, PAYLOAD } from "../job-flags.ts";
import type { Verb } from "../verb.ts";

/** The verb that makes jobs. */
export const ENQUEUEING: readonly Verb[] = [
  {
    name: "enqueue",
    summary: "Add jobs to a queue.",
    description: [
      "Adds one job, or --count of them in a few statements. The payload is JSON: the value itself, @FILE, or - for standard input.",
      "With --count, {i} in the payload and in --unique-key is replaced by the number of the job, from 1 on: --payload '{\"document\": {i}}'.",
      "A unique key that a live job of the store already has adds nothing: the outcome is 'duplicate', with the id of that job. With --replace that job becomes this one, and the outcome is 'replaced'.",
    ],
    positionals: [
      { name: "QUEUE", required: true, summary: "Name of the queue. It appears on first use." },
      { name: "KIND", required: true, summary: "Kind of job: the name that its handler is registered under." },
    ],
    flags: [
      PAYLOAD,
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
        name: "delay",
        type: "duration",
        placeholder: "DURATION",
        summary: "Not before this time from now has passed.",
      },
      {
        name: "unique-key",
        type: "text",
        placeholder: "KEY",
        summary: "At most one live job of the store has this key.",
      },
      {
        name: "unique-for",
        type: "duration",
        placeholder: "DURATION",
        summary: "With --unique-key: the key stays taken for so long after the job is over.",
      },
      {
        name: "replace",
        type: "switch",
        summary: "With --unique-key: a live job that has the key and does not run gets what this one says.",
      },
      {
        name: "depends-on",
        type: "text",
        placeholder: "ID",
        repeatable: true,
        summary:
          "Runs only when this job is completed; if that is cancelled, deleted or dead, it is cancelled. ID:run runs it in either case.",
      },
    ],
    groups: [JOB_OPTIONS, OUTPUT, ...SOURCE],
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
        command: "jobqueue enqueue reports send --depends-on 4711 --retry 10s,1m,5m",
        does: "after another job, with waits of its own between attempts",
      },
      {
        command: "generate | jobqueue enqueue imports load --payload -",
        does: "the payload that another program prints",
      },
    ],
    load: () => import("../verbs/enqueue.ts"),
  },
];

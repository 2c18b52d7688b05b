import { CONNECTION, OUTPUT } from "../flag-groups.ts";
import type { Verb } from "../verb.ts";

const QUEUE_OR_ALL = {
  name: "QUEUE",
  required: true,
  summary: "Name of the queue, or '*' for every queue of the store.",
};

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
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue resume mailers", does: "release what people hold" },
      { command: "jobqueue resume '*' --name move", does: "release one hold" },
    ],
    load: () => import("../verbs/resume.ts"),
  },
];

import { OUTPUT, SOURCE } from "../flag-groups.ts";
import { JOB_OPTIONS, PAYLOAD, REASON } from "../job-flags.ts";
import type { Flag, Verb } from "../verb.ts";

const NAME = { name: "NAME", required: true, summary: "Name of the schedule, as `jobqueue schedules` shows it." };

const CRON: Flag = {
  name: "cron",
  type: "text",
  placeholder: "CRON",
  summary: "Minute, hour, day of month, month, day of week; six fields begin with seconds.",
};

const TIME_ZONE: Flag = {
  name: "time-zone",
  type: "text",
  placeholder: "ZONE",
  summary: "IANA time zone in which the clock is read.",
  default: "UTC",
};

/** Verbs that work on schedules. */
export const SCHEDULES: readonly Verb[] = [
  {
    name: "schedule put",
    summary: "Make a schedule, or change all of one.",
    description: [
      "Enqueues one job per tick, exactly once: any worker or the operator may fire it. A cron that names hours fires as often as it says also on days when clocks change: at once after the hour that is left out, and once in the hour that comes twice. One for every hour follows the clock as it runs.",
      "--missed says what becomes of ticks that are more than a minute late, such as those while everything was down: skip them, run once for all of them, or run all, at most --max-missed.",
      "What is left out has its default, also when the schedule exists.",
    ],
    positionals: [
      { name: "NAME", required: true, summary: "Name of the schedule, unique in the store." },
      { name: "QUEUE", required: true, summary: "Name of the queue." },
      { name: "KIND", required: true, summary: "Kind of job." },
    ],
    flags: [
      { ...CRON, required: true },
      TIME_ZONE,
      {
        name: "missed",
        type: "choice",
        choices: ["skip", "once", "all"],
        placeholder: "POLICY",
        summary: "What becomes of missed ticks.",
        default: "once",
      },
      {
        name: "max-missed",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 1000,
        summary: "Most missed ticks that --missed all runs; the oldest are skipped.",
        default: "100",
      },
      PAYLOAD,
      REASON,
    ],
    groups: [JOB_OPTIONS, OUTPUT, ...SOURCE],
    examples: [
      {
        command: "jobqueue schedule put nightly reports daily --cron '30 2 * * *' --time-zone Europe/Berlin",
        does: "every night at half past two in Berlin",
      },
      {
        command: "jobqueue schedule put poll feeds fetch --cron '*/20 * * * * *' --missed skip",
        does: "every twenty seconds; what was missed is gone",
      },
    ],
    load: () => import("../verbs/schedule-put.ts"),
  },
  {
    name: "schedule delete",
    summary: "Delete a schedule.",
    description: ["Jobs that it has enqueued stay."],
    positionals: [NAME],
    flags: [REASON],
    groups: [OUTPUT, ...SOURCE],
    examples: [{ command: "jobqueue schedule delete nightly --reason 'replaced by weekly'", does: "no more of it" }],
    load: () => import("../verbs/schedule-delete.ts"),
  },
  {
    name: "schedule pause",
    summary: "Keep a schedule from firing.",
    description: ["Ticks that pass while it is paused are not made up for."],
    positionals: [NAME],
    flags: [REASON],
    groups: [OUTPUT, ...SOURCE],
    examples: [{ command: "jobqueue schedule pause nightly --reason 'month-end closing'", does: "not for now" }],
    load: () => import("../verbs/schedule-pause.ts"),
  },
  {
    name: "schedule resume",
    summary: "Let a schedule fire again, from its next tick on.",
    description: [],
    positionals: [NAME],
    flags: [REASON],
    groups: [OUTPUT, ...SOURCE],
    examples: [{ command: "jobqueue schedule resume nightly", does: "go on" }],
    load: () => import("../verbs/schedule-resume.ts"),
  },
  {
    name: "schedule trigger",
    summary: "Enqueue the job of a schedule now, beside its ticks.",
    description: ["Also while it is paused. Its next tick fires as if nothing had happened."],
    positionals: [NAME],
    flags: [REASON],
    groups: [OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue schedule trigger nightly --reason 'the numbers were wrong'", does: "once more, at once" },
    ],
    load: () => import("../verbs/schedule-trigger.ts"),
  },
  {
    name: "schedule preview",
    summary: "Show the next ticks of a schedule, or of a --cron that is not one yet.",
    description: ["With --cron it needs no store. Shows each tick in its time zone and in UTC."],
    positionals: [{ ...NAME, required: false }],
    flags: [
      CRON,
      TIME_ZONE,
      {
        name: "count",
        type: "integer",
        placeholder: "N",
        minimum: 1,
        maximum: 1000,
        summary: "How many ticks.",
        default: "10",
      },
    ],
    groups: [OUTPUT, ...SOURCE],
    examples: [
      { command: "jobqueue schedule preview nightly", does: "the next ten ticks" },
      {
        command: "jobqueue schedule preview --cron '30 2 * * *' --time-zone Europe/Berlin --count 3",
        does: "of a cron that is only thought about",
      },
    ],
    load: () => import("../verbs/schedule-preview.ts"),
  },
];

import { nextTicks, type Schedule, type ScheduleTick } from "@jobqueue/store";
import { formatDuration } from "../duration.ts";
import { printableLine } from "../output/printable.ts";
import { outputFormat, printResult } from "../output/result.ts";
import { type Column, renderTable } from "../output/table.ts";
import { lacksRight, readWithPayloads } from "../payloads.ts";
import { scheduleNotFound } from "../schedules.ts";
import { withSource } from "../source/open-source.ts";
import type { Source } from "../source/source.ts";
import { inZone } from "../time-zone.ts";
import type { RunVerb } from "../verb.ts";

const UPCOMING = 5;

function distance(from: Date, to: Date): string {
  return formatDuration((to.getTime() - from.getTime()) / 1000);
}

function nextIn({ paused, nextAt }: Schedule, now: Date): string {
  if (paused || nextAt === null) return "-";
  return nextAt <= now ? "due" : distance(now, nextAt);
}

function columns(now: Date): Column<Schedule>[] {
  return [
    { title: "NAME", flexible: true, value: (schedule) => schedule.name },
    {
      title: "STATE",
      value: (schedule) => (schedule.paused ? "paused" : "active"),
      emphasis: (schedule) => (schedule.paused ? "yellow" : "green"),
    },
    { title: "QUEUE", flexible: true, value: (schedule) => schedule.queue },
    { title: "KIND", flexible: true, value: (schedule) => schedule.kind },
    { title: "CRON", value: (schedule) => schedule.cron },
    { title: "ZONE", flexible: true, value: (schedule) => schedule.timeZone },
    { title: "NEXT IN", align: "right", value: (schedule) => nextIn(schedule, now) },
    {
      title: "LAST",
      value: ({ lastTick, lastOutcome }) =>
        lastTick === null
          ? "-"
          : `${distance(lastTick, now)} ago${lastOutcome === "fired" || lastOutcome === null ? "" : ` (${lastOutcome})`}`,
    },
  ];
}

/** Its latest ticks; who may not read them sees what the schedule itself says of the very last. */
async function ticksOf(source: Source, schedule: Schedule): Promise<readonly ScheduleTick[]> {
  try {
    return await source.listTicks(schedule.name, UPCOMING);
  } catch (error) {
    if (!lacksRight(error)) throw error;
    const { lastTick: tick, lastOutcome: outcome, lastJobId: jobId } = schedule;
    return tick === null || outcome === null ? [] : [{ tick, outcome, jobId, at: tick }];
  }
}

/** One schedule with its next ticks, and what became of the last ones. */
function describe(schedule: Schedule, next: readonly Date[], ticks: readonly ScheduleTick[]): string {
  const { name, queue, kind, cron, timeZone, missedTicks, maxMissed, paused, payload, options } = schedule;
  const missed = missedTicks === "all" ? `all, at most ${maxMissed}` : missedTicks;
  const lines = [
    `Schedule ${name}${paused ? ", paused" : ""}: jobs of kind ${kind} in queue ${queue}`,
    `Cron:     ${cron}, time zone ${timeZone}`,
    `Missed:   ${missed}`,
    ...(options === null ? [] : [`Payload:  ${JSON.stringify(payload)}`, `Options:  ${JSON.stringify(options)}`]),
    ...next.map((tick, index) => `${index === 0 ? "Next:   " : "        "}  ${inZone(tick, timeZone)}`),
    ...(next.length === 0
      ? [`Next:     ${paused ? `when it goes on: jobqueue schedule resume ${name}` : "none"}`]
      : []),
    ...ticks.map(({ tick, outcome, jobId }, index) => {
      const job = jobId === null ? "" : `, job ${jobId}`;
      return `${index === 0 ? "Last:   " : "        "}  ${inZone(tick, timeZone)}: ${outcome}${job}`;
    }),
  ];
  return lines.map(printableLine).join("\n");
}

/** `jobqueue schedules [NAME]`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.optional("NAME");
  if (name === undefined) {
    const { schedules, now } = await withSource(args, terminal, async ({ source }) => ({
      // The table shows no payload, so it needs no right to read any.
      schedules: ["json", "yaml"].includes(outputFormat(args))
        ? await readWithPayloads(terminal, async (options) => source.listSchedules(options))
        : await source.listSchedules({ payloads: false }),
      now: await source.now(),
    }));
    printResult(args, terminal, {
      value: schedules,
      names: schedules.map((schedule) => schedule.name),
      text: () =>
        schedules.length === 0
          ? "The store has no schedules yet; `jobqueue schedule put` makes the first."
          : renderTable(columns(now), schedules, terminal),
    });
    return 0;
  }
  const { schedule, next, ticks } = await withSource(args, terminal, async ({ source }) => {
    const found =
      (await readWithPayloads(terminal, async (options) => source.getSchedule(name, options))) ??
      (await scheduleNotFound(source, name));
    // The tick that is due comes first, however late it is.
    const upcoming = found.paused || found.nextAt === null ? [] : [found.nextAt];
    for (const first of upcoming.slice(0, 1)) {
      upcoming.push(...nextTicks(found.cron, found.timeZone, first, UPCOMING - 1));
    }
    return { schedule: found, next: upcoming, ticks: await ticksOf(source, found) };
  });
  printResult(args, terminal, {
    value: { ...schedule, nextTicks: next, lastTicks: ticks },
    names: [schedule.name],
    text: () => describe(schedule, next, ticks),
  });
  return 0;
};

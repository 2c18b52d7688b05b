import type { NewSchedule, Schedule } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import type { Arguments } from "../arguments.ts";
import { formatDuration } from "../duration.ts";
import { parsePayload, payloadText } from "../enqueue-plan.ts";
import { jobOptions } from "../job-options.ts";
import { printResult } from "../output/result.ts";
import { readWithPayloads } from "../payloads.ts";
import { scheduleNotFound } from "../schedules.ts";
import { withSource } from "../source/open-source.ts";
import type { Terminal } from "../terminal.ts";
import { inZone } from "../time-zone.ts";
import type { RunVerb } from "../verb.ts";

async function scheduleOf(args: Arguments, terminal: Terminal): Promise<NewSchedule> {
  const payload = args.text("payload");
  const [missedTicks, maxMissed] = [args.text("missed"), args.number("max-missed")];
  return {
    ...jobOptions(args),
    name: args.positional("NAME"),
    queue: args.positional("QUEUE"),
    kind: args.positional("KIND"),
    cron: args.text("cron") ?? "",
    timeZone: args.text("time-zone") ?? "UTC",
    ...(payload === undefined ? {} : { payload: parsePayload(await payloadText(payload, terminal)) }),
    ...(missedTicks === undefined ? {} : { missedTicks: missedTicks as Schedule["missedTicks"] }),
    ...(maxMissed === undefined ? {} : { maxMissed }),
  };
}

/** `jobqueue schedule put NAME QUEUE KIND`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  const wanted = await scheduleOf(args, terminal);
  const { word, schedule, now } = await withSource(args, terminal, async (open) => {
    const { source } = open;
    const { actor } = await personOf(open, terminal.env);
    const before = await source.getSchedule(name, { payloads: false });
    const changed = await source.putSchedule(wanted, { actor, reason: args.text("reason") ?? "by hand" });
    return {
      word: changed ? (before ? "changed" : "new") : undefined,
      schedule:
        (await readWithPayloads(terminal, async (options) => source.getSchedule(name, options))) ??
        (await scheduleNotFound(source, name)),
      now: await source.now(),
    };
  });
  printResult(args, terminal, {
    value: { ...schedule, changed: word !== undefined },
    names: [name],
    text: () => {
      const { nextAt, timeZone, paused, queue, kind } = schedule;
      const what = word === undefined ? "was like that before" : `is ${word}`;
      const next =
        nextAt === null
          ? "never: the cron has no further tick"
          : `${inZone(nextAt, timeZone)} (in ${formatDuration((nextAt.getTime() - now.getTime()) / 1000)})`;
      const held = paused ? `\nIt is paused: jobqueue schedule resume ${name}` : "";
      return `Schedule ${name} ${what}: jobs of kind ${kind} in queue ${queue}.\nNext: ${next}${held}`;
    },
  });
  return 0;
};

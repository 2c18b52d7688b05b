import { getSchedule, type NewSchedule, putSchedule, type Schedule, serverFacts } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import type { Arguments } from "../arguments.ts";
import { withStore } from "../connect/open-store.ts";
import { formatDuration } from "../duration.ts";
import { parsePayload, payloadText } from "../enqueue-plan.ts";
import { jobOptions } from "../job-options.ts";
import { printResult } from "../output/result.ts";
import { scheduleNotFound } from "../schedules.ts";
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
  const { word, schedule, now } = await withStore(args, terminal, async (store) => {
    const { database } = store;
    const { actor } = await personOf(store, terminal.env);
    const before = await getSchedule(database, name);
    const changed = await putSchedule(database, wanted, { actor, reason: args.text("reason") ?? "by hand" });
    return {
      word: changed ? (before ? "changed" : "new") : undefined,
      schedule: (await getSchedule(database, name)) ?? (await scheduleNotFound(database, name)),
      now: (await serverFacts(database)).now,
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

import { nextTicks } from "@jobqueue/store";
import { storeFailure } from "../connect/store-failure.ts";
import { usageFailure } from "../failure.ts";
import { printResult } from "../output/result.ts";
import { scheduleNotFound } from "../schedules.ts";
import { withSource } from "../source/open-source.ts";
import { inZone } from "../time-zone.ts";
import type { RunVerb } from "../verb.ts";

const DEFAULT_COUNT = 10;

/** `jobqueue schedule preview [NAME]`. */
export const run: RunVerb = async (args, terminal) => {
  const [name, given] = [args.optional("NAME"), args.text("cron")];
  if ((name === undefined) === (given === undefined)) {
    throw usageFailure(
      "schedule preview needs the name of a schedule, or --cron",
      "jobqueue schedule preview --cron '30 2 * * *' --time-zone Europe/Berlin",
    );
  }
  const { cron, timeZone } =
    name === undefined
      ? { cron: given ?? "", timeZone: args.text("time-zone") ?? "UTC" }
      : await withSource(args, terminal, async ({ source }) => {
          return (await source.getSchedule(name, { payloads: false })) ?? scheduleNotFound(source, name);
        });
  let ticks: Date[];
  try {
    ticks = nextTicks(cron, timeZone, new Date(), args.number("count") ?? DEFAULT_COUNT);
  } catch (error) {
    throw storeFailure(error, undefined);
  }
  printResult(args, terminal, {
    value: { cron, timeZone, ticks },
    names: ticks.map((tick) => tick.toISOString()),
    text: () =>
      ticks.length === 0
        ? "It has no further tick."
        : ticks.map((tick) => `${inZone(tick, timeZone)}   ${tick.toISOString()}`).join("\n"),
  });
  return 0;
};

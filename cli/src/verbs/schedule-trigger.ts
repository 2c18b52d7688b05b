import { personOf } from "../actor.ts";
import { printResult } from "../output/result.ts";
import { scheduleNotFound } from "../schedules.ts";
import { withSource } from "../source/open-source.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue schedule trigger NAME`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  const job = await withSource(args, terminal, async (open) => {
    const { source } = open;
    const { actor } = await personOf(open, terminal.env);
    const enqueued = await source.triggerSchedule(name, { actor, reason: args.text("reason") ?? "by hand" });
    return enqueued ?? (await scheduleNotFound(source, name));
  });
  printResult(args, terminal, {
    value: { name, job },
    names: [job],
    text: () => `Enqueued job ${job} of schedule ${name}.`,
  });
  return 0;
};

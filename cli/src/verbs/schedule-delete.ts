import { personOf } from "../actor.ts";
import { printResult } from "../output/result.ts";
import { scheduleNotFound } from "../schedules.ts";
import { withSource } from "../source/open-source.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue schedule delete NAME`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  await withSource(args, terminal, async (open) => {
    const { source } = open;
    const { actor } = await personOf(open, terminal.env);
    const deleted = await source.deleteSchedule(name, { actor, reason: args.text("reason") ?? "by hand" });
    if (!deleted) await scheduleNotFound(source, name);
  });
  printResult(args, terminal, {
    value: { name, deleted: true },
    names: [name],
    text: () => `Schedule ${name} is deleted. Jobs that it enqueued stay.`,
  });
  return 0;
};

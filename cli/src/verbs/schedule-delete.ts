import { deleteSchedule } from "@jobqueue/store";
import { personOf } from "../actor.ts";
import { withStore } from "../connect/open-store.ts";
import { printResult } from "../output/result.ts";
import { scheduleNotFound } from "../schedules.ts";
import type { RunVerb } from "../verb.ts";

/** `jobqueue schedule delete NAME`. */
export const run: RunVerb = async (args, terminal) => {
  const name = args.positional("NAME");
  await withStore(args, terminal, async (store) => {
    const { actor } = await personOf(store, terminal.env);
    const deleted = await deleteSchedule(store.database, name, { actor, reason: args.text("reason") ?? "by hand" });
    if (!deleted) await scheduleNotFound(store.database, name);
  });
  printResult(args, terminal, {
    value: { name, deleted: true },
    names: [name],
    text: () => `Schedule ${name} is deleted. Jobs that it enqueued stay.`,
  });
  return 0;
};

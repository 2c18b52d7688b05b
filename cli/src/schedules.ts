import { personOf } from "./actor.ts";
import { Failure } from "./failure.ts";
import { nearest } from "./nearest.ts";
import { printResult } from "./output/result.ts";
import { withSource } from "./source/open-source.ts";
import type { Source } from "./source/source.ts";
import { inZone } from "./time-zone.ts";
import type { RunVerb } from "./verb.ts";

/** Fails with the schedule that was probably meant. */
export async function scheduleNotFound(source: Source, name: string): Promise<never> {
  const names = (await source.listSchedules({ payloads: false })).map((schedule) => schedule.name);
  const near = nearest(name, names);
  const remedy =
    names.length === 0
      ? "The store has no schedules yet; `jobqueue schedule put` makes the first."
      : near === undefined
        ? "`jobqueue schedules` lists the schedules."
        : `Did you mean ${near}?`;
  throw new Failure("notFound", `the store has no schedule '${name}'`, { remedy });
}

/** The verb that pauses a schedule, or lets it go on. */
export function pauseSchedules(paused: boolean): RunVerb {
  return async (args, terminal) => {
    const name = args.positional("NAME");
    const { changed, schedule } = await withSource(args, terminal, async (open) => {
      const { source } = open;
      if (!(await source.getSchedule(name, { payloads: false }))) await scheduleNotFound(source, name);
      const { actor } = await personOf(open, terminal.env);
      const act = { actor, reason: args.text("reason") ?? "by hand" };
      const done = await source.pauseSchedule(name, paused, act);
      return {
        changed: done,
        schedule: (await source.getSchedule(name, { payloads: false })) ?? (await scheduleNotFound(source, name)),
      };
    });
    printResult(args, terminal, {
      value: { ...schedule, changed },
      names: [name],
      text: () => {
        const already = changed ? "" : " already";
        if (paused)
          return `Schedule ${name} is paused${already}: ticks that pass are not made up for.\nTo go on: jobqueue schedule resume ${name}`;
        const next =
          schedule.nextAt === null ? "it has no further tick" : `next ${inZone(schedule.nextAt, schedule.timeZone)}`;
        return `Schedule ${name} is active${already}: ${next}.`;
      },
    });
    return 0;
  };
}

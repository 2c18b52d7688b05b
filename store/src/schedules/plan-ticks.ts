import { Ticks } from "./next-ticks.ts";

/** What becomes of ticks that are missed: none runs, one job for all of them, or all, at most `maxMissed`. */
export type MissedTicks = "skip" | "once" | "all";

/** A schedule with a tick due. */
export interface DueSchedule {
  readonly cron: string;
  readonly timeZone: string;
  readonly missedTicks: MissedTicks;
  /** With `all`, at most so many of the missed ticks fire: the latest. */
  readonly maxMissed: number;
  /** The first tick that has not been dealt with. */
  readonly nextAt: Date;
}

/** What is to be done about the ticks that are due. */
export interface TickPlan {
  readonly fire: readonly Date[];
  readonly skip: readonly Date[];
  /** The first tick after these; null when there is none. */
  readonly nextAt: Date | null;
  /** More ticks are due than one plan holds: make another from `nextAt`. */
  readonly more: boolean;
}

/** A tick is on time for so long: who polls comes a little late, and that is not missing it. Milliseconds. */
export const ON_TIME_MS = 60_000;
/** Most ticks of one plan, hence of one transaction. */
const PLAN_TICKS = 200;

/**
 * Decides about every tick from `nextAt` up to now, each exactly once: ticks that are on time fire, under every policy;
 * those that are later than `ON_TIME_MS` were missed. `skip`: they do not fire. `once`: the last one fires for all, unless a
 * tick on time does. `all`: they fire, at most the last `maxMissed`. What does not fire is named in `skip`, so that it is on
 * record. Pure: `now` is the database's.
 */
export function planTicks(schedule: DueSchedule, now: Date, maxTicks = PLAN_TICKS): TickPlan {
  const ticks = new Ticks(schedule.cron, schedule.timeZone);
  const due: number[] = [];
  let next: number | undefined = schedule.nextAt.getTime();
  while (next !== undefined && next <= now.getTime() && due.length < maxTicks) {
    due.push(next);
    next = ticks.after(next);
  }
  const more = next !== undefined && next <= now.getTime();
  const onTime = now.getTime() - ON_TIME_MS;
  const missed = due.filter((tick) => tick < onTime);
  const firesFrom =
    missed.length === 0 ? onTime : firstThatFires(schedule, ticks, missed, onTime, more || missed.length < due.length);
  const fire = due.filter((tick) => tick >= firesFrom);
  return {
    fire: fire.map((tick) => new Date(tick)),
    skip: due.filter((tick) => tick < firesFrom).map((tick) => new Date(tick)),
    nextAt: next === undefined ? null : new Date(next),
    more,
  };
}

/** The missed tick from which on they fire, or `onTime` when none does. `others`: later ticks are due as well. */
function firstThatFires(
  schedule: DueSchedule,
  ticks: Ticks,
  missed: readonly number[],
  onTime: number,
  others: boolean,
): number {
  if (schedule.missedTicks === "skip") return onTime;
  if (schedule.missedTicks === "once") return others ? onTime : (missed.at(-1) ?? onTime);
  const first = missed[0] ?? onTime;
  // Looking back over longer and longer times, until they hold more ticks than may fire: however many were missed, only
  // a few times maxMissed are ever counted.
  for (let span = 60_000; ; span *= 4) {
    const start = Math.max(first, onTime - span);
    const within: number[] = [];
    for (let at = ticks.after(start - 1); at !== undefined && at < onTime; at = ticks.after(at)) within.push(at);
    if (within.length >= schedule.maxMissed || start === first) return within.at(-schedule.maxMissed) ?? first;
  }
}

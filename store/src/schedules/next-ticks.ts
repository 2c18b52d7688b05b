import { invalidInput } from "../errors.ts";
import { type CronExpression, readCron } from "./cron-expression.ts";
import { nextTransition, offsetAt } from "./time-zone.ts";

const HOUR = 3_600_000;

/**
 * The ticks of a schedule: instants, each later than the one before, found from the wall clock of a zone.
 *
 * When clocks are changed there are hours that do not exist and hours that come twice. An expression that names hours
 * (`30 2 * * *`) means something that happens so many times a day: a time that does not exist ticks once when the clocks go
 * forward, at the first instant after the gap, and a time that comes twice ticks the first time. An expression for every
 * hour (its hour field begins with `*`) follows the clock as it runs: it has no ticks in the gap, and ticks in both of the
 * repeated hours. The library that reads cron is asked for wall-clock times only: with zones it was seen to go back in
 * time in the spring and to leave out an hour of a half-hourly schedule in the autumn.
 */
export class Ticks {
  readonly #cron: CronExpression;
  readonly #zone: string;
  /** A time without a change of clocks, as far as it was looked at: asking for an offset costs more than all the rest. */
  #quiet = { from: Infinity, to: -Infinity, offset: 0 };

  /** Rejects with `invalid_input` an expression that cannot be read (naming the field) and a zone that does not exist. */
  constructor(cron: string, zone: string) {
    this.#cron = readCron(cron);
    this.#zone = zone;
    offsetAt(zone, 0);
  }

  /** The first tick after an instant, both as milliseconds since 1970; undefined when there is none. */
  after(instant: number): number | undefined {
    let from = instant;
    let offset = this.#offset(from);
    // Exclusive, as `next` takes it.
    let wall = from + offset;
    for (;;) {
      const next = this.#cron.next(wall);
      if (next === undefined) return undefined;
      const tick = next - offset;
      const transition = this.#transition(from, tick, offset);
      if (transition === undefined) {
        if (this.#cron.everyHour || !this.#isRepeat(next, tick, offset)) return tick;
        from = tick;
        wall = next;
        continue;
      }
      const later = offsetAt(this.#zone, transition);
      // The clocks go forward over it.
      if (!this.#cron.everyHour && next < transition + later) return transition;
      from = transition;
      offset = later;
      wall = transition + later - 1;
    }
  }

  #offset(instant: number): number {
    const { from, to, offset } = this.#quiet;
    return from <= instant && instant <= to ? offset : offsetAt(this.#zone, instant);
  }

  /** The first change of clocks in (from, to]. */
  #transition(from: number, to: number, offset: number): number | undefined {
    if (this.#quiet.from <= from && to <= this.#quiet.to) return undefined;
    const end = Math.max(to, from + 24 * HOUR);
    const transition = nextTransition(this.#zone, from, end);
    this.#quiet = { from, to: transition === undefined ? end : transition - 1, offset };
    return transition !== undefined && transition <= to ? transition : undefined;
  }

  /** Whether the wall clock showed this time once before, in the hours before the clocks went back. */
  #isRepeat(wall: number, tick: number, offset: number): boolean {
    const before = offsetAt(this.#zone, tick - 3 * HOUR);
    return before > offset && offsetAt(this.#zone, wall - before) === before;
  }
}

/**
 * The next `count` ticks (1 to 1000) after an instant: what a schedule is going to do, for people to look at before they
 * put it. Fewer when there are no more, as for 31 February. Pure.
 */
export function nextTicks(cron: string, zone: string, from: Date, count: number): Date[] {
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw invalidInput(`count is ${count}: write 1 to 1000`);
  const ticks = new Ticks(cron, zone);
  const found: Date[] = [];
  let at: number | undefined = from.getTime();
  while (found.length < count) {
    at = ticks.after(at);
    if (at === undefined) break;
    found.push(new Date(at));
  }
  return found;
}

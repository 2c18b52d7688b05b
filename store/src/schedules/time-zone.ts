import { invalidInput } from "../errors.ts";

const HOUR = 3_600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds that a zone's wall clock is ahead of UTC at an instant. Rejects a name that is no zone. */
export function offsetAt(zone: string, instant: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    } catch {
      throw invalidInput(`${JSON.stringify(zone)} is no time zone: write a name such as Europe/Berlin, or UTC`);
    }
    formats.set(zone, format);
  }
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(instant));
  if (match === null) throw new TypeError(`no offset in ${format.format(instant)}`);
  const [, sign, hours, minutes, seconds] = match;
  if (sign === undefined) return 0;
  const size = Number(hours) * HOUR + Number(minutes) * 60_000 + Number(seconds ?? 0) * 1000;
  return sign === "-" ? -size : size;
}

/**
 * The first instant in (from, to] at which the zone's offset is another than at `from`, to the second. Looks every twelve
 * hours: no zone ever changed twice within that.
 */
export function nextTransition(zone: string, from: number, to: number): number | undefined {
  const offset = offsetAt(zone, from);
  for (let at = from; at < to; at += 12 * HOUR) {
    let high = Math.min(at + 12 * HOUR, to);
    if (offsetAt(zone, high) === offset) continue;
    let low = at;
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000;
      if (middle <= low) break;
      if (offsetAt(zone, middle) === offset) low = middle;
      else high = middle;
    }
    return Math.floor(high / 1000) * 1000;
  }
  return undefined;
}

/** How numbers and times read. Pure: the moment is an argument. */

const WHOLE = new Intl.NumberFormat("en");

/** A count: `12,345`. */
export const count = (value: number): string => WHOLE.format(value);

/** `1 job`, `12 jobs`. */
export const counted = (value: number, one: string, many: string = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A span of time in at most two units: `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `5 d 3 h`. */
export function span(ms: number): string {
  if (ms < 0) return `-${span(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return two(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return two(hours, "h", minutes % 60, "min");
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

const two = (great: number, greatUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${great} ${greatUnit}` : `${great} ${greatUnit} ${small} ${smallUnit}`;

/** How long ago an instant was, or how far it is: `4.2 s ago`, `in 3 min`. */
export function relative(at: string, nowMs: number): string {
  const ms = nowMs - Date.parse(at);
  // Whole seconds: a number that dances says nothing more.
  const whole = Math.round(Math.abs(ms) / 1000) * 1000;
  if (whole === 0) return "now";
  const text = whole < 10_000 ? `${whole / 1000} s` : span(whole);
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

/** An instant in the reader's own time zone, to the second: `2030-01-31 08:00:00`. */
export function instant(text: string): string {
  const at = new Date(text);
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** JSON for people; text that is none stays as it is. */
export const pretty = (value: unknown): string => JSON.stringify(value, undefined, 2) ?? "nothing";

import { Cron } from "croner";
import { invalidInput, StoreError } from "../errors.ts";

/** A field of a cron expression: what it may hold. */
interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
  /** Forms that only this field knows. */
  readonly special?: RegExp;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: readonly Field[] = [
  { name: "second", low: 0, high: 59 },
  { name: "minute", low: 0, high: 59 },
  { name: "hour", low: 0, high: 23 },
  { name: "day of month", low: 1, high: 31, special: /^(L|LW|(0?[1-9]|[12]\d|3[01])W)$/ },
  { name: "month", low: 1, high: 12, names: MONTHS },
  { name: "day of week", low: 0, high: 7, names: DAYS, special: /^([0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(#[1-5]|L)$/ },
];

/** A cron expression that was read: its next wall-clock time, without any zone. */
export interface CronExpression {
  /**
   * The first time of the wall clock after another, both as milliseconds as if they were UTC; undefined when there is
   * none, as for 31 February.
   */
  next(wall: number): number | undefined;
  /** It names no hours, so it follows elapsed time when clocks are changed. */
  readonly everyHour: boolean;
}

/**
 * Reads a cron expression: minute, hour, day of month, month, day of week, with seconds before them when there are six
 * fields. Lists, ranges, steps, names, `L`, `W` and `#` are known; macros such as @daily are not. When both days are
 * restricted either is enough, as in every cron since 1988. Rejects with `invalid_input` that names the field.
 */
export function readCron(expression: string): CronExpression {
  const fields = expression.trim().toUpperCase().split(/\s+/);
  if (expression.trim().startsWith("@")) {
    throw refused(expression, "macros are not known: write the five fields, such as 0 0 * * * for every midnight");
  }
  if (fields.length !== 5 && fields.length !== 6) {
    throw refused(
      expression,
      `it has ${fields.length === 1 && fields[0] === "" ? 0 : fields.length} fields: write minute, hour, day of month, month and day of week, with seconds before them if you need them`,
    );
  }
  const six = fields.length === 6 ? fields : ["0", ...fields];
  six.forEach((text, index) => {
    checkField(expression, FIELDS[index] as Field, text);
  });
  let cron: Cron;
  try {
    cron = new Cron(six.join(" "), { mode: "6-part", utcOffset: 0, paused: true });
  } catch (error) {
    throw refused(expression, error instanceof Error ? error.message : String(error));
  }
  return {
    next: (wall) => cron.nextRun(new Date(wall))?.getTime(),
    everyHour: six[2]?.startsWith("*") === true,
  };
}

function checkField(expression: string, field: Field, text: string): void {
  for (const item of text.split(",")) {
    if (field.special?.test(item)) continue;
    const match = /^(?:\*|([0-9]+|[A-Z]{3})(?:-([0-9]+|[A-Z]{3}))?)(?:\/([0-9]+))?$/.exec(item);
    const [low, high] = [numberOf(field, match?.[1]), numberOf(field, match?.[2])];
    const step = match?.[3] === undefined ? 1 : Number(match[3]);
    if (match === null || low === undefined || high === undefined || step < 1 || step > field.high) {
      throw refused(expression, `the field ${field.name} is ${JSON.stringify(text)}: ${allowed(field)}`);
    }
    if (match[3] !== undefined && match[1] !== undefined && match[2] === undefined) {
      throw refused(
        expression,
        `the field ${field.name} is ${JSON.stringify(text)}: a step needs a range, such as ${match[1]}-${field.high}/${step}`,
      );
    }
    if (low !== null && high !== null && low > high) {
      throw refused(expression, `the field ${field.name} is ${JSON.stringify(text)}: a range goes from low to high`);
    }
  }
}

/** A number or name of a field; null when absent, undefined when it is none. */
function numberOf(field: Field, text: string | undefined): number | null | undefined {
  if (text === undefined) return null;
  const named = field.names?.indexOf(text) ?? -1;
  if (named >= 0) return field.low + named;
  const number = Number(text);
  return Number.isInteger(number) && number >= field.low && number <= field.high ? number : undefined;
}

function allowed(field: Field): string {
  const names = field.names === undefined ? "" : ` or ${field.names[0]} to ${field.names.at(-1)}`;
  return `write ${field.low} to ${field.high}${names}, lists (1,2), ranges (1-3), steps (*/2)`;
}

function refused(expression: string, why: string): StoreError {
  return invalidInput(`${JSON.stringify(expression)} is no cron expression: ${why}`);
}

import { invalidInput } from "./errors.ts";

/** An instant with its zone, as SQL's `read_options` accepts it. */
const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?\s?([Zz]|[+-]\d\d(:?\d\d)?)$/;

/**
 * Text of an instant for SQL. A text without a zone is refused: what it means would depend on a setting of whichever
 * server session it meets.
 */
export function toInstantText(value: Date | string, what: string): string {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : String(value);
  if (!INSTANT.test(text)) {
    throw invalidInput(
      `${what} is ${JSON.stringify(text)}: write an instant with its zone, such as 2030-01-31T08:00:00Z`,
    );
  }
  return text;
}

import type { Arguments } from "./arguments.ts";
import { usageFailure } from "./failure.ts";
import { nearest } from "./nearest.ts";

/** One setting that a verb shows and changes by a flag of the same name. */
export interface SettingRow<Values> {
  /** The flag, without dashes. */
  readonly flag: string;
  /** The key in what the store takes and gives. */
  readonly key: keyof Values & string;
  /** The value of the flag in the form the store takes; `undefined` when it was not given. */
  read(args: Arguments): unknown;
  /** A value of the store as it is written on the command line; `undefined` where the default holds. */
  show(values: Values): string | undefined;
  /** What holds by default, for people. */
  readonly fallback: string;
}

/** What the command line changes: values for what is given, null for what is to be unset; empty for a look. */
export function changesOf<Values>(rows: readonly SettingRow<Values>[], args: Arguments): Record<string, unknown> {
  const unset = args.texts("unset").map((text) => {
    const name = text.replace(/^--/, "");
    const row = rows.find((candidate) => candidate.flag === name);
    if (!row) {
      const flags = rows.map((candidate) => candidate.flag);
      const near = nearest(name, flags);
      throw usageFailure(
        `--unset takes the name of a setting, not '${text}'`,
        near === undefined ? `It is one of ${flags.join(", ")}.` : `Did you mean ${near}?`,
      );
    }
    if (args.has(name)) throw usageFailure(`--${name} is given and unset at once`);
    return [row.key, null] as const;
  });
  const given = rows.flatMap((row) => (args.has(row.flag) ? [[row.key, row.read(args)] as const] : []));
  return Object.fromEntries([...given, ...unset]);
}

/** All settings, one per line, as they are written on the command line; which of them are defaults. */
export function renderSettings<Values>(rows: readonly SettingRow<Values>[], values: Values): string {
  const width = Math.max(...rows.map((row) => row.flag.length));
  return rows
    .map((row) => `  ${row.flag.padEnd(width)}  ${row.show(values) ?? `${row.fallback} (default)`}\n`)
    .join("");
}

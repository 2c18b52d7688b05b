import type { Arguments } from "../arguments.ts";
import type { OutputFormat } from "../flag-groups.ts";
import { print, type Terminal } from "../terminal.ts";
import { renderYaml } from "./yaml.ts";

/** One result in all the forms in which it can be printed. */
export interface Result {
  /** For `-o json` and `-o yaml`. */
  readonly value: unknown;
  /** For `-o name`: ids or names, one per line. */
  readonly names: readonly string[];
  /** For people. */
  readonly text: () => string;
}

/** The form that was asked for. */
export function outputFormat(args: Arguments): OutputFormat {
  return (args.text("output") ?? "table") as OutputFormat;
}

/** Prints a result in the form that was asked for. */
export function printResult(args: Arguments, terminal: Terminal, result: Result): void {
  switch (outputFormat(args)) {
    case "json":
      print(terminal, JSON.stringify(result.value, null, 2));
      return;
    case "yaml":
      print(terminal, renderYaml(result.value));
      return;
    case "name":
      if (result.names.length > 0) print(terminal, result.names.join("\n"));
      return;
    case "table":
      print(terminal, result.text());
  }
}

import type { Bench, Line } from "./bench.ts";

/** Prints the one table: a line per contender, settings and variant, under the title and goal of its bench. */
export function printTable(benches: readonly Bench[], lines: readonly Line[]): void {
  const width = (value: (line: Line) => string): number => Math.max(0, ...lines.map((line) => value(line).length));
  const who = (line: Line): string => `${line.contender} ${line.settings.split(" (")[0]}`.trim();
  const whoWidth = width(who);
  const variantWidth = width((line) => line.variant);
  for (const { id, title, goal } of benches) {
    process.stdout.write(`\n${id} ${title}\n   goal: ${goal}\n`);
    for (const line of lines.filter(({ bench }) => bench === id)) {
      process.stdout.write(`   ${who(line).padEnd(whoWidth)}  ${line.variant.padEnd(variantWidth)}  ${line.shown}\n`);
    }
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the runbooks are. */
export const FOLDER = join(import.meta.dirname, "../../docs/runbooks");

/** The text of a runbook. */
export const readRunbook = (name: string): string => readFileSync(join(FOLDER, `${name}.md`), "utf8");

/** A line of shell of a page, with the heading that it is under. */
interface RunbookCommand {
  readonly step: string;
  readonly line: string;
}

/** The lines of the blocks of shell in a page. */
export function commandsOf(page: string): RunbookCommand[] {
  let step = "";
  let inside = false;
  const found: RunbookCommand[] = [];
  for (const line of page.split("\n")) {
    if (line.startsWith("## ")) step = line.slice(3);
    else if (line.startsWith("```")) inside = line === "```sh";
    else if (inside && line.trim() !== "") found.push({ step, line });
  }
  return found;
}

/** The words of a line of shell as a shell would hand them on; only quotes, no expansions. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ""));

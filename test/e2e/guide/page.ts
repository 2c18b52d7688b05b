/**
 * A guide as a script. What a person does and sees stands in `console` blocks: a line `$ command`, and below it what it
 * printed. A block may say in its info string when to look, as a regular expression on the output, because what is shown
 * comes about in its own time:
 *
 *     ```console until="HUNG +1"
 *
 * What nobody types, such as a machine that breaks, is a comment that names it: `<!-- fault: freeze a worker -->`. Each
 * heading of the second level begins a scene; scenes know nothing of each other.
 */

/** A command on a page and what it printed. */
export interface Command {
  readonly do: "command";
  readonly line: string;
  readonly shown: string;
  /** Where on the page that stands. */
  readonly at: number;
  /** Wait until the output matches. */
  readonly until?: RegExp;
}

/** Something a test has to bring about. */
interface Fault {
  readonly do: "fault";
  readonly name: string;
}

/** What happens in a scene, in order. */
type Step = Command | Fault;

/** A part of a page. */
export interface Scene {
  readonly title: string;
  readonly steps: readonly Step[];
}

const TOKEN = /^## (.+)$|^<!-- fault: (.+) -->$|^```console(?: until="(.+)")?\n([\s\S]*?)^```$/gm;

/** The scenes of a page that have steps. */
export function scenesOf(page: string): Scene[] {
  const scenes: { title: string; steps: Step[] }[] = [];
  for (const match of page.matchAll(TOKEN)) {
    const [all, title, fault, until, block] = match;
    if (title !== undefined) scenes.push({ title, steps: [] });
    else if (fault !== undefined) scenes.at(-1)?.steps.push({ do: "fault", name: fault });
    else if (block !== undefined)
      scenes.at(-1)?.steps.push(...commandsOf(block, match.index + all.indexOf("\n") + 1, until));
  }
  return scenes.filter(({ steps }) => steps.length > 0);
}

function commandsOf(block: string, at: number, until: string | undefined): Command[] {
  const commands = [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)];
  return commands.map(({ index, 1: line = "", 2: shown = "" }, number) => {
    // The condition is about what the block leads to, which is its last command.
    const waits = until !== undefined && number === commands.length - 1;
    const where = at + index + "$ ".length + line.length + 1;
    return { do: "command", line, shown, at: where, ...(waits && { until: new RegExp(until, "m") }) };
  });
}

/** Files that a page shows: fenced blocks with `file=name` behind the language. */
export function filesOf(page: string): { readonly name: string; readonly text: string }[] {
  const blocks = page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, name = "", text = ""]) => ({ name, text }));
}

/** The page with other outputs: how a page is recorded. */
export function withOutputs(
  page: string,
  outputs: readonly { readonly command: Command; readonly output: string }[],
): string {
  return outputs
    .toSorted((a, b) => b.command.at - a.command.at)
    .reduce((text, { command: { at, shown }, output }) => {
      const lines = output.trim() === "" ? "" : `${output.trimEnd()}\n`;
      return text.slice(0, at) + lines.replace(/[ \t]+$/gm, "") + text.slice(at + shown.length);
    }, page);
}

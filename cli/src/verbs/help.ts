import { renderOverview, renderVerbHelp } from "../help.ts";
import { findVerb } from "../arguments.ts";
import { print, type Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";
import { VERB_GROUPS, VERBS } from "../verbs.ts";

/** Prints help about one verb, or about the command. */
export async function showHelp(topic: string | undefined, terminal: Terminal): Promise<number> {
  if (topic === undefined) {
    print(terminal, renderOverview(VERB_GROUPS, terminal));
    return 0;
  }
  const verb = findVerb(topic.split(" "), VERBS, "jobqueue help");
  print(terminal, renderVerbHelp(verb, (await verb.settings?.()) ?? [], terminal));
  return 0;
}

/** `jobqueue help [VERB]`. */
export const run: RunVerb = async (args, terminal) => {
  const words = args.many("VERB");
  return showHelp(words.length === 0 ? undefined : words.join(" "), terminal);
};

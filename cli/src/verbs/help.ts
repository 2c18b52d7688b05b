import { renderOverview, renderVerbHelp } from "../help.ts";
import { usageFailure } from "../failure.ts";
import { nearest } from "../nearest.ts";
import { print, type Terminal } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";
import { VERBS } from "../verbs.ts";

/** Prints help about one verb, or about the command. */
export async function showHelp(topic: string | undefined, terminal: Terminal): Promise<number> {
  if (topic === undefined) {
    print(terminal, renderOverview(VERBS, terminal));
    return 0;
  }
  const verb = VERBS.find((candidate) => candidate.name === topic);
  if (!verb) {
    const near = nearest(
      topic,
      VERBS.map((candidate) => candidate.name),
    );
    throw usageFailure(
      `there is no verb '${topic}'`,
      near === undefined ? "`jobqueue help` lists the verbs." : `Did you mean \`jobqueue help ${near}\`?`,
    );
  }
  print(terminal, renderVerbHelp(verb, (await verb.settings?.()) ?? [], terminal));
  return 0;
}

/** `jobqueue help [VERB]`. */
export const run: RunVerb = async (args, terminal) => showHelp(args.optional("VERB"), terminal);

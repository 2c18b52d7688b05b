import { completionScript, type Shell, SHELLS } from "../completion/script.ts";
import { usageFailure } from "../failure.ts";
import { nearest } from "../nearest.ts";
import { print } from "../terminal.ts";
import type { RunVerb } from "../verb.ts";
import { VERBS } from "../verbs.ts";

const isShell = (text: string): text is Shell => (SHELLS as readonly string[]).includes(text);

/** `jobqueue completion SHELL`. */
export const run: RunVerb = async (args, terminal) => {
  const shell = args.positional("SHELL");
  if (!isShell(shell)) {
    const near = nearest(shell, SHELLS);
    const remedy = near === undefined ? undefined : `Did you mean ${near}?`;
    throw usageFailure(`there is no completion for '${shell}', only for ${SHELLS.join(", ")}`, remedy);
  }
  print(terminal, await completionScript(shell, VERBS));
  return 0;
};

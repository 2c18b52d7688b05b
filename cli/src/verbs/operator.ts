import { OPERATOR_SETTINGS, runOperatorCommand } from "@jobqueue/operator";
import type { RunVerb, Setting } from "../verb.ts";

/** The settings of the operator, for the help. */
export const settings: readonly Setting[] = Object.values(OPERATOR_SETTINGS).map(({ flag, env, fallback, help }) => ({
  flag,
  env,
  help,
  ...(fallback === undefined ? {} : { default: fallback }),
}));

/** `jobqueue operator`. */
export const run: RunVerb = async (args, terminal) => runOperatorCommand(args.rest, terminal.env);

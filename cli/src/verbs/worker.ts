import { runWorkerCommand, SETTINGS } from "@jobqueue/worker";
import type { RunVerb, Setting } from "../verb.ts";

/** The settings of a worker, for the help. */
export const settings: readonly Setting[] = Object.values(SETTINGS);

/** `jobqueue worker`. Ends the process itself: a handler that ignores its abort may still be running. */
export const run: RunVerb = async (args, terminal) => {
  process.exit(await runWorkerCommand(terminal.env, args.rest));
};

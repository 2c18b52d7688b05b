import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Arguments } from "./arguments.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { outputFormat } from "./output/result.ts";
import { printable } from "./output/printable.ts";
import type { Terminal } from "./terminal.ts";
import type { RunVerb } from "./verb.ts";

/** Time between the end of one look and the next. */
const EVERY_MS = 2_000;

/** Once at the beginning. From then on what is written goes over what was there, and what is left of that is deleted: no flicker. */
const CLEAR = "\u001b[2J";
const HOME = "\u001b[H";
const REST_OF_LINE = "\u001b[K";
const REST_OF_SCREEN = "\u001b[J";

/** What a verb prints, kept instead of printed; on a terminal also what it says beside that, which would spoil the picture. */
async function printed(run: RunVerb, args: Arguments, terminal: Terminal): Promise<string> {
  const stdout = new PassThrough({ encoding: "utf8" });
  let text = "";
  stdout.on("data", (chunk: string) => (text += chunk));
  const ended = once(stdout, "end");
  await run(args, { ...terminal, stdout, ...(terminal.width !== undefined && { stderr: stdout }) });
  stdout.end();
  await ended;
  return text;
}

/**
 * The verb again and again, every two seconds, until it is interrupted: for `--watch`. On a terminal it is drawn over itself;
 * elsewhere it is printed when it differs from what was printed last, YAML and JSON as one document after the other. The first look
 * fails as it does without; a later failure is shown and does not end it, because the store that is watched may well be the trouble.
 */
export function watched(run: RunVerb, now: () => Date = () => new Date()): RunVerb {
  return async (args, terminal) => {
    const onTerminal = terminal.width !== undefined;
    // A look that hangs must not keep it.
    process.once("SIGINT", () => process.exit(EXIT_CODES.interrupted.code));
    let last: string | undefined;
    for (;;) {
      const look = await printed(run, args, terminal).catch((error: unknown) => {
        if (last === undefined || !(error instanceof Failure)) throw error;
        return `jobqueue: ${printable(error.message)}\n`;
      });
      if (onTerminal) {
        const lines = `${now().toISOString()}\n\n${look}`.replaceAll("\n", `${REST_OF_LINE}\n`);
        terminal.stdout.write(`${last === undefined ? CLEAR : ""}${HOME}${lines}${REST_OF_SCREEN}`);
      } else if (look !== last) {
        const between = last !== undefined && outputFormat(args) === "yaml" ? "---\n" : "";
        terminal.stdout.write(between + look);
      }
      last = look;
      await sleep(EVERY_MS);
    }
  };
}

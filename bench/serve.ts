import { createInterface } from "node:readline";

/**
 * The side of the contenders in the protocol: one JSON object a line on standard input asks, one on standard output
 * answers. `program.ts` is the other side; `river/` speaks the same in Go.
 */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers commands until standard input ends, and then ends the process: nobody is left to measure for. */
export function serve(commands: Commands): void {
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const { id, command, argument } = JSON.parse(line) as { id: number; command: string; argument: never };
      void answer(id, commands[command], argument);
    })
    .on("close", () => process.exit(0));
}

async function answer(id: number, command: Commands[string] | undefined, argument: never): Promise<void> {
  let reply: object;
  try {
    if (command === undefined) throw new Error("unknown command");
    reply = { answers: id, value: (await command(argument)) ?? null };
  } catch (error) {
    reply = { answers: id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

import { createInterface } from "node:readline/promises";
import { Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Asks on the terminal whether to go on; anything but yes, the end of input included, is no. `question` says what would
 * happen and to how many. Fails with code 9 when the answer is no, so that a script sees that nothing happened.
 */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  const lines = createInterface({ input: terminal.stdin, output: terminal.stderr, terminal: false });
  try {
    const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
    const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new Failure("notConfirmed", "nothing was changed", { remedy: "Answer y to go on, or give --yes." });
}

import { parseCommandLine } from "../arguments.ts";
import { Failure } from "../failure.ts";
import { VERBS } from "../verbs.ts";
import { type FakeTerminal, fakeTerminal } from "./fake-terminal.ts";

/** How a verb ended at a terminal. */
export interface EndedAtTerminal extends Pick<FakeTerminal, "stdout" | "stderr"> {
  readonly code: number;
  /** The failure that ended it, and what to do about it. */
  readonly failure: string | undefined;
}

/** Runs a verb in this process, at a terminal where a person types `answers`: quicker than a process of its own. */
export async function atTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  answers = "",
): Promise<EndedAtTerminal> {
  const { terminal, stdout, stderr } = fakeTerminal(answers, env);
  try {
    const request = parseCommandLine(args, VERBS);
    if (request.kind !== "run") throw new Error("asks for help");
    const { run } = await request.verb.load();
    return { code: await run(request.args, terminal), stdout, stderr, failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { code: error.code, stdout, stderr, failure: `${error.message}\n${error.remedy ?? ""}` };
  }
}

/**
 * The command `jobqueue`: reads the command line, loads the one verb that it names, and ends with a code of
 * `exit-codes.ts`. Also the entry of the image, whose bundle is made from this file.
 */
import { parseCommandLine } from "./arguments.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { printable } from "./output/printable.ts";
import { remark, type Terminal, terminalOf } from "./terminal.ts";
import { showHelp } from "./verbs/help.ts";
import { VERBS } from "./verbs.ts";
import { watched } from "./watch.ts";

/** Carries a command line out; resolves with the exit code. What people can mend is one sentence, and what to do. */
async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    // So that what every other command understands is understood here as well.
    const asked = argv.length === 1 && argv[0] === "--version" ? ["version"] : argv;
    const request = parseCommandLine(asked, VERBS);
    if (request.kind === "help") return await showHelp(request.topic, terminal);
    const { run } = await request.verb.load();
    const watches = request.args.has("watch");
    return await (watches ? watched(run) : run)(request.args, terminal);
  } catch (error) {
    const debug = Boolean(terminal.env["DEBUG"]);
    if (error instanceof Failure) {
      remark(terminal, `jobqueue: ${printable(error.message)}`);
      if (error.remedy !== undefined) remark(terminal, printable(error.remedy));
      if (debug && error.cause instanceof Error) remark(terminal, error.cause.stack ?? error.cause.message);
      return error.code;
    }
    const message = error instanceof Error ? error.message : String(error);
    remark(terminal, `jobqueue: ${printable(message)}`);
    remark(
      terminal,
      debug ? ((error as Error).stack ?? "") : "This is a defect of the command; DEBUG=1 shows where it happened.",
    );
    return EXIT_CODES.failed.code;
  }
}

// A reader that ends early, such as `head`, wants no more and no complaint.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), terminalOf(process));

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { pino } from "pino";
import { parseConfig } from "./config.ts";
import { Operator } from "./main.ts";

/** Exit codes of the command: stopped in good order, failed, or told something it does not understand. */
const EXIT = { stopped: 0, failed: 1, usage: 2 } as const;

/**
 * `jobqueue operator`: runs until SIGTERM or SIGINT, then finishes what is under way, gives the Lease back and returns the
 * exit code. A lost Lease, a database or an API server that is away do not end it.
 */
export async function runOperatorCommand(
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const parsed = parseConfig(argv, env, { identity: `${hostname()}-${randomBytes(4).toString("hex")}` });
  if (!parsed.ok) {
    process.stderr.write(parsed.problems.map((problem) => `jobqueue operator: ${problem}\n`).join(""));
    return EXIT.usage;
  }
  const log = pino({ level: parsed.config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const operator = new Operator({ config: parsed.config, log, env });
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
  try {
    await operator.start();
    log.info({ signal: await asked }, "stopping");
    await operator.stop();
    return EXIT.stopped;
  } catch (error) {
    log.fatal({ err: error }, "the operator cannot go on");
    return EXIT.failed;
  }
}

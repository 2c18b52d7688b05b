import { pino } from "pino";
import { parseConfig } from "./config.ts";
import { AdminServer } from "./server.ts";

/** Exit codes of the command: stopped in good order, failed, or told something it does not understand. */
const EXIT = { stopped: 0, failed: 1, usage: 2 } as const;

/** `jobqueue admin`: serves until SIGTERM or SIGINT, and returns the exit code. A store that is away does not end it. */
export async function runAdminCommand(
  argv: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const parsed = parseConfig(argv, env);
  if (!parsed.ok) {
    process.stderr.write(parsed.problems.map((problem) => `jobqueue admin: ${problem}\n`).join(""));
    return EXIT.usage;
  }
  const log = pino({ level: parsed.config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const server = new AdminServer({ config: parsed.config, log, env });
  const asked = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, resolve);
  });
  try {
    await server.start();
    log.info({ signal: await asked }, "stopping");
    await server.stop();
    return EXIT.stopped;
  } catch (error) {
    log.fatal({ err: error }, "the admin server cannot go on");
    return EXIT.failed;
  }
}

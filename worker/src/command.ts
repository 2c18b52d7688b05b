import { ConfigError, readConfig, settingsHelp } from "./config/config.ts";
import { EXIT_CODE } from "./exit-code.ts";
import { HandlersError, loadHandlers } from "./handlers/load.ts";
import { placeOfProcess, runBelowInit } from "./init/below-init.ts";
import { createLog } from "./log.ts";
import { installProcessPolicy } from "./process-policy.ts";
import { Worker } from "./worker.ts";

/** Help of `jobqueue worker`. */
export function workerHelp(): string {
  return `jobqueue worker: runs the jobs of queues until it is told to stop (SIGTERM drains).\n\n${settingsHelp()}\n`;
}

/**
 * `jobqueue worker`: runs a worker in this process until it is asked to stop, and resolves with the exit code; the caller
 * exits with it at once (a handler that ignored its abort may still be running). Problems of configuration and handlers
 * are written to standard error, all at once.
 */
export async function runWorkerCommand(
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(workerHelp());
    return EXIT_CODE.drained;
  }
  const endedBelow = runBelowInit(placeOfProcess());
  if (endedBelow !== undefined) return endedBelow;
  try {
    const config = readConfig(env, argv);
    const log = createLog(config.logLevel);
    const handlers = await loadHandlers(config.handlerFiles, env);
    const worker = new Worker({ config, handlers, log });
    worker.metrics.withProcessMetrics();
    const { drained } = installProcessPolicy(worker, log);
    await worker.start();
    return await drained;
  } catch (error) {
    if (error instanceof ConfigError || error instanceof HandlersError) {
      process.stderr.write(
        `jobqueue worker cannot start:\n${error.problems.map((problem) => `  ${problem}\n`).join("")}`,
      );
      return EXIT_CODE.configuration;
    }
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") {
      process.stderr.write(
        `jobqueue worker cannot start:\n  JOBQUEUE_HTTP_PORT is taken: ${(error as Error).message}\n`,
      );
      return EXIT_CODE.configuration;
    }
    throw error;
  }
}

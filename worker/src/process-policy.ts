import { EXIT_CODE } from "./exit-code.ts";
import type { Log } from "./log.ts";
import { currentJob } from "./run/attempt-runner.ts";
import { errorText } from "./run/outcome.ts";
import type { Worker } from "./worker.ts";

/** How long the clean-up after an uncaught exception may take, milliseconds. */
const DEFECT_TIMEOUT_MS = 10_000;

/**
 * What the process does about signals and about errors that nobody caught.
 *
 * - SIGTERM, SIGINT: drain, exit 0. Again: running jobs are aborted at once.
 * - A promise that a handler left alone and that rejected: logged with its job, counted, and the worker goes on. The
 *   state of the process is intact, the job's own outcome stands, and the other jobs must not suffer for it.
 * - An exception that nothing caught (thrown in a callback): the state of the process is unknown, so the worker takes on
 *   nothing more, aborts what runs and gives it back without spending an attempt, and exits 1. Kubernetes starts anew.
 */
export function installProcessPolicy(worker: Worker, log: Log): { readonly drained: Promise<number> } {
  const drained = Promise.withResolvers<number>();
  const onSignal = (signal: NodeJS.Signals): void => {
    log.info({ signal }, "asked to stop");
    if (stopping) worker.hurry();
    else void stop(EXIT_CODE.drained);
  };
  let stopping = false;
  const stop = async (code: number): Promise<void> => {
    stopping = true;
    try {
      await worker.stop();
      drained.resolve(code);
    } catch (error) {
      drained.reject(error);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  process.on("unhandledRejection", (reason) => {
    worker.metrics.count("jobqueue_worker_unhandled_rejections_total");
    log.error(
      { ...currentJob.getStore(), error: errorText(reason) },
      "a promise was rejected and nobody handled it; the worker goes on",
    );
  });
  process.on("uncaughtException", (error) => {
    log.fatal(
      { ...currentJob.getStore(), error: errorText(error) },
      "an exception was not caught: the worker gives back what it holds and ends",
    );
    setTimeout(() => process.exit(EXIT_CODE.defect), DEFECT_TIMEOUT_MS);
    worker.hurry();
    void stop(EXIT_CODE.defect);
  });
  return { drained: drained.promise };
}

/** The worker: the process that runs jobs. README.md beside `src/` says how to use it. */
export { runWorkerCommand, workerHelp } from "./command.ts";
export { ConfigError, readConfig, type WorkerConfig } from "./config/config.ts";
export { SETTINGS, type Setting, type SettingName } from "./config/settings.ts";
export { EXIT_CODE, type ExitCode } from "./exit-code.ts";
export { defineHandler, type Handler, type HandlerLog, type JobContext, type LogLine } from "./handlers/handler.ts";
export { handlersFrom, type Handlers, HandlersError, loadHandlers } from "./handlers/load.ts";
export { createLog, type Log, LOG_LEVELS, type LogLevel } from "./log.ts";
export { METRICS, WorkerMetrics } from "./metrics.ts";
export { LeaseLostError } from "./run/attempt-context.ts";
export { type AbortCause, CancelledError, JobAborted, PermanentError } from "./run/outcome.ts";
export { Worker, type WorkerOptions } from "./worker.ts";

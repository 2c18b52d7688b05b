import { type Logger, pino } from "pino";
import type { LogLine } from "./handlers/handler.ts";

/** Levels that LOG_LEVEL may name. */
export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * What the parts of a worker write with: fields first, then a constant sentence. No line carries a payload, a result or
 * a connection string. A pino logger fits as it is.
 */
export interface Log {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  readonly fatal: LogLine;
  /** A log whose lines carry these fields too. */
  child(fields: object): Log;
}

/** Structured logs, one JSON object a line, on standard output, written at once so that none is lost at an exit. */
export function createLog(level: LogLevel): Logger {
  return pino({ level, base: { pid: process.pid } }, pino.destination({ dest: 1, sync: true }));
}

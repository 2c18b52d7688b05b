/** One log function: fields first, then a constant sentence (the shape of pino). */
export type LogLine = (fields: object, message: string) => void;

/** What the edge and the engine need from a logger. A pino logger fits as it is. */
export interface Log {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
}

/** Writes nothing: the default where no logger is given. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

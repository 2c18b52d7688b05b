/** What a caller may do after an error: nothing, wait and repeat, connect again, or repeat the whole transaction. */
export type RetryAdvice = "never" | "backoff" | "reconnect" | "transaction";

/** The closed set of things that can go wrong with the store; `sqlstate.ts` maps SQLSTATEs to them. */
export type StoreErrorCode =
  /** The worker's lease has lapsed or the worker is gone: register again, under a new identity. */
  | "lease_lapsed"
  /** `claim` was called outside READ COMMITTED. */
  | "wrong_isolation"
  /** Another operator leads now: nothing was written, and what was decided under the old term must be dropped. */
  | "stale_term"
  /** The input cannot be stored; the message names it and says what to do. */
  | "invalid_input"
  /** The connection could not be made or was lost. Whether a statement that was under way took effect is unknown. */
  | "connection_lost"
  /** The server is a standby or went read-only: the primary must be looked up again. */
  | "not_primary"
  /** No answer within the time allowed. Whether the statement took effect is unknown. */
  | "timeout"
  /** The server has no room: connections, memory, disk. */
  | "overloaded"
  /** A concurrent transaction won; the transaction may be repeated. */
  | "conflict"
  /** User, password or certificate were refused. */
  | "access_denied"
  /** The schema, or something in it, does not exist: not migrated, or not far enough. */
  | "not_installed"
  /** The schema was made by a newer version than this one. */
  | "schema_newer"
  /** The server cannot hold a store: too old, wrong encoding. */
  | "unsupported_server"
  /** Connection settings that make no sense. */
  | "invalid_settings"
  /** Anything else: a defect of ours or of the server. */
  | "internal";

/**
 * Every error that leaves this package. `message` is for people and says what to do; `code` and `retry` are for code;
 * `sqlstate` is the server's own code, when there was one.
 */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly retry: RetryAdvice;
  readonly sqlstate: string | undefined;

  constructor(
    message: string,
    details: { code: StoreErrorCode; retry: RetryAdvice; sqlstate?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.code = details.code;
    this.retry = details.retry;
    this.sqlstate = details.sqlstate;
  }
}

/** An error about input that a person or program must correct: never retried. */
export function invalidInput(message: string): StoreError {
  return new StoreError(message, { code: "invalid_input", retry: "never" });
}

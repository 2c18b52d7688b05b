import { type RetryAdvice, StoreError, type StoreErrorCode } from "./errors.ts";

/** One row of the table that maps what the server or the socket says to what a caller should do. */
export interface SqlstateRule {
  /** A SQLSTATE, its first two characters (a class), or the code of a system error. */
  readonly match: string;
  readonly code: StoreErrorCode;
  readonly retry: RetryAdvice;
  /** What to tell a person, before the server's own words. */
  readonly advice?: string;
}

/** The one table of error classes. The longest match wins, so a SQLSTATE is found before its class. */
export const SQLSTATE_RULES: readonly SqlstateRule[] = [
  { match: "JQ001", code: "lease_lapsed", retry: "never" },
  { match: "JQ002", code: "wrong_isolation", retry: "never" },
  { match: "JQ003", code: "stale_term", retry: "never" },
  { match: "08", code: "connection_lost", retry: "reconnect" },
  { match: "57P01", code: "connection_lost", retry: "reconnect", advice: "the server ended the session" },
  { match: "57P02", code: "connection_lost", retry: "reconnect", advice: "the server crashed" },
  { match: "57P03", code: "connection_lost", retry: "reconnect", advice: "the server is starting or stopping" },
  { match: "57P05", code: "connection_lost", retry: "reconnect", advice: "the server ended an idle session" },
  { match: "25P03", code: "connection_lost", retry: "reconnect", advice: "the server ended an idle transaction" },
  { match: "25006", code: "not_primary", retry: "reconnect", advice: "this server is read-only" },
  { match: "53", code: "overloaded", retry: "backoff", advice: "the server has no room" },
  { match: "40001", code: "conflict", retry: "transaction" },
  { match: "40P01", code: "conflict", retry: "transaction" },
  { match: "55P03", code: "conflict", retry: "transaction" },
  { match: "57014", code: "timeout", retry: "backoff", advice: "the statement was cancelled or took too long" },
  {
    match: "28",
    code: "access_denied",
    retry: "never",
    advice: "the server refused the user; check user, password and certificate",
  },
  { match: "42501", code: "access_denied", retry: "never", advice: "the database user lacks a right" },
  { match: "3D000", code: "not_installed", retry: "never", advice: "the database does not exist" },
  {
    match: "3F000",
    code: "not_installed",
    retry: "never",
    advice: "the store is not installed; run `jobqueue migrate`",
  },
  {
    match: "42P01",
    code: "not_installed",
    retry: "never",
    advice: "the store is not installed or too old; run `jobqueue migrate`",
  },
  {
    match: "42883",
    code: "not_installed",
    retry: "never",
    advice: "the store is not installed or too old; run `jobqueue migrate`",
  },
  { match: "42", code: "internal", retry: "never" },
  { match: "22", code: "invalid_input", retry: "never" },
  { match: "23", code: "invalid_input", retry: "never" },
  { match: "54", code: "invalid_input", retry: "never" },
  { match: "ECONNREFUSED", code: "connection_lost", retry: "reconnect", advice: "nothing listens there" },
  { match: "ECONNRESET", code: "connection_lost", retry: "reconnect" },
  { match: "EPIPE", code: "connection_lost", retry: "reconnect" },
  { match: "ETIMEDOUT", code: "connection_lost", retry: "reconnect" },
  { match: "EHOSTUNREACH", code: "connection_lost", retry: "reconnect" },
  { match: "ENETUNREACH", code: "connection_lost", retry: "reconnect" },
  { match: "ENOTFOUND", code: "connection_lost", retry: "reconnect", advice: "the host name is unknown" },
  { match: "EAI_AGAIN", code: "connection_lost", retry: "reconnect", advice: "the host name could not be looked up" },
];

/** Errors of the `pg` package that carry no code, by their words. */
const WORDLESS: readonly { readonly words: RegExp; readonly rule: Omit<SqlstateRule, "match"> }[] = [
  {
    words: /^Query read timeout/,
    rule: { code: "timeout", retry: "reconnect", advice: "no answer within the time allowed" },
  },
  {
    words: /^(timeout exceeded when trying to connect|timeout expired|Connection terminated due to connection timeout)/,
    rule: { code: "connection_lost", retry: "reconnect", advice: "no connection within the time allowed" },
  },
  {
    words:
      /^(Connection terminated|Client has encountered a connection error|Client was closed|Cannot use a pool after)/,
    rule: { code: "connection_lost", retry: "reconnect" },
  },
  {
    words: /The server does not support SSL/,
    rule: { code: "access_denied", retry: "never", advice: "the server offers no TLS; mode Disabled connects without" },
  },
  {
    words:
      /(Hostname\/IP does not match certificate|unable to verify the first certificate|self[- ]signed certificate)/,
    rule: { code: "access_denied", retry: "never", advice: "the server's certificate is not trusted; give its CA" },
  },
  {
    words: /SCRAM|SASL|password must be a string/,
    rule: { code: "access_denied", retry: "never", advice: "the server refused the user; check user and password" },
  },
];

/** Codes of TLS failures start with one of these. */
const TLS_CODE = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_SSL_)/;

function ruleFor(code: string, message: string): Omit<SqlstateRule, "match"> {
  const exact = SQLSTATE_RULES.find((rule) => rule.match === code);
  if (exact) return exact;
  if (/^[0-9A-Z]{5}$/.test(code)) {
    const byClass = SQLSTATE_RULES.find((rule) => rule.match === code.slice(0, 2));
    if (byClass) return byClass;
  }
  const wordless = WORDLESS.find(({ words }) => words.test(message));
  if (wordless) return wordless.rule;
  if (TLS_CODE.test(code)) return { code: "access_denied", retry: "never", advice: "TLS failed" };
  return { code: "internal", retry: "never" };
}

/** Wraps whatever `pg` or a socket threw; a `StoreError` is returned as it is. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  // A host with several addresses fails with all their errors; the first speaks for them.
  const failure = error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
  const { code, message, hint } = (failure ?? {}) as { code?: unknown; message?: unknown; hint?: unknown };
  const text = typeof message === "string" && message !== "" ? message : String(failure);
  const state = typeof code === "string" ? code : "";
  const rule = ruleFor(state, text);
  const words = [rule.advice, text, typeof hint === "string" ? hint : undefined].filter((part) => part !== undefined);
  return new StoreError(words.join(": "), {
    code: rule.code,
    retry: rule.retry,
    sqlstate: /^[0-9A-Z]{5}$/.test(state) ? state : undefined,
    cause: error,
  });
}

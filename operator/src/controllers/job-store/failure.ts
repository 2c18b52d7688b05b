/**
 * What went wrong with a store, in words that may stand in a status. A status is readable by many who may not read the
 * Secret, so neither the server's own words (its banner, a user name) nor anything of the URL appears: only the class of the
 * error, the SQLSTATE or system code, and what to do.
 */
import { StoreError } from "@jobqueue/store";
import type { StoreDown, UnreachableReason } from "./store-view.ts";

/** A store that cannot be used, with the word and the sentence for it. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  readonly reason: UnreachableReason;

  constructor(reason: UnreachableReason, sentence: string, cause?: unknown) {
    super(sentence, { cause });
    this.reason = reason;
  }
}

/** What TLS failures say, in Node's words, in OpenSSL's, and in those of `pg`. */
const TLS_WORDS = /\b(SSL|TLS)\b|certificate|self.signed/i;
const NAMELESS = /^(ENOTFOUND|EAI_AGAIN)$/;

/** The state a store is in after an error. `place` is where its address stands, in words (`connection-settings.ts`). */
export function downBecause(error: unknown, place: string): StoreDown {
  const { reason, sentence } = classify(error, place);
  return { is: "down", reason, sentence };
}

function classify(error: unknown, secret: string): { readonly reason: UnreachableReason; readonly sentence: string } {
  if (error instanceof StoreFailure) return { reason: error.reason, sentence: error.message };
  if (!(error instanceof StoreError)) {
    return {
      reason: "ConnectFailed",
      sentence: "Looking at the store failed unexpectedly; the log of the operator says how.",
    };
  }
  const code = error.sqlstate ?? systemCode(error);
  const coded = code === undefined ? "" : ` (${code})`;
  switch (error.code) {
    case "invalid_settings":
      return { reason: "SecretInvalid", sentence: `${secret}: ${error.message}.` }; // our own words, without the URL
    case "access_denied":
      return accessDenied(error, secret, coded);
    case "not_primary":
      return {
        reason: "NotPrimary",
        sentence: `The address in ${secret} leads to a read-only server; let it lead to the primary.`,
      };
    case "timeout":
      return {
        reason: "Timeout",
        sentence: `Postgres does not answer in time${coded}; see whether it is overloaded or a firewall is in the way.`,
      };
    case "overloaded":
      return {
        reason: "ConnectFailed",
        sentence: `Postgres has no room${coded}: connections, memory or disk are used up.`,
      };
    case "not_installed":
      if (error.sqlstate === "3D000")
        return {
          reason: "AuthFailed",
          sentence: `The database that ${secret} names does not exist (3D000); create it or correct the Secret.`,
        };
      break;
    case "connection_lost":
      return connectionLost(error, secret, code, coded);
    case "lease_lapsed":
    case "wrong_isolation":
    case "stale_term":
    case "invalid_input":
    case "conflict":
    case "schema_newer":
    case "unsupported_server":
    case "internal":
      break;
  }
  return {
    reason: "ConnectFailed",
    sentence: `Postgres refused what the operator asked${coded}; the log of the operator says what.`,
  };
}

function accessDenied(
  error: StoreError,
  secret: string,
  coded: string,
): { reason: UnreachableReason; sentence: string } {
  if (error.sqlstate === undefined && TLS_WORDS.test(error.message)) {
    const sentence = `TLS failed${coded}: Postgres offers none, or its certificate is not that of the host in ${secret} or not trusted; see spec.connection.tls.`;
    return { reason: "TlsFailed", sentence };
  }
  if (error.sqlstate === "42501") {
    return {
      reason: "AuthFailed",
      sentence: `The user in ${secret} lacks a right it needs (42501); grant it, or use the user that installed the store.`,
    };
  }
  const sentence = `Postgres refuses the user or the password in ${secret}${coded}; correct the Secret, it is read again by itself.`;
  return { reason: "AuthFailed", sentence };
}

function connectionLost(
  error: StoreError,
  secret: string,
  code: string | undefined,
  coded: string,
): { reason: UnreachableReason; sentence: string } {
  if (code !== undefined && NAMELESS.test(code)) {
    // A short name is resolved in the operator's namespace, not in the JobStore's: the commonest first mistake.
    return {
      reason: "ConnectFailed",
      sentence: `The host name in ${secret} cannot be resolved${coded}; a Service of this cluster is written with its namespace, SERVICE.NAMESPACE.svc.`,
    };
  }
  if (code === "ETIMEDOUT" || /within the time allowed/.test(error.message)) {
    return {
      reason: "Timeout",
      sentence: `No connection to Postgres in time${coded}; see whether the address in ${secret} is right and a firewall is in the way.`,
    };
  }
  return {
    reason: "ConnectFailed",
    sentence: `No connection to Postgres${coded}; see whether it runs and the address in ${secret} is right.`,
  };
}

/** Code of the socket's or TLS error beneath, such as ECONNREFUSED. */
function systemCode(error: StoreError): string | undefined {
  let cause: unknown = error.cause;
  if (cause instanceof AggregateError) cause = cause.errors[0];
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^[A-Z0-9_]{3,64}$/.test(code) ? code : undefined;
}

/** Whether a call that failed so says something about the store as a whole, not only about the call. */
export function isAboutTheStore(error: unknown): boolean {
  if (!(error instanceof StoreError)) return false;
  return ["connection_lost", "not_primary", "timeout", "access_denied", "overloaded", "not_installed"].includes(
    error.code,
  );
}

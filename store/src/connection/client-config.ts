import type { ConnectionOptions } from "node:tls";
import type { ClientConfig } from "pg";
import type { ConnectionSettings, TlsSettings } from "./settings.ts";

/** Time limits of a connection; `pg` has none by default. */
export interface Timeouts {
  /** Until a connection must stand, and until one of a full pool must be free. */
  readonly connectMs: number;
  /** Until the server gives up a statement. 0 leaves it to the server's own setting. */
  readonly statementMs: number;
  /** Until the client gives up waiting for an answer and drops the connection; catches half-open connections. */
  readonly queryMs: number;
}

/** Options of `pg` for a connection, everything explicit so that no environment variable can add to it. */
export function clientConfig(settings: ConnectionSettings, applicationName: string, timeouts: Timeouts): ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password: settings.password,
    ssl: tlsOptions(settings.tls),
    enableChannelBinding: true,
    application_name: applicationName,
    connectionTimeoutMillis: timeouts.connectMs,
    query_timeout: timeouts.queryMs,
    statement_timeout: timeouts.statementMs === 0 ? false : timeouts.statementMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

function tlsOptions(tls: TlsSettings): false | ConnectionOptions {
  const own = tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key };
  const ca = tls.ca === undefined ? own : { ca: tls.ca, ...own };
  switch (tls.mode) {
    case "VerifyFull":
      // `pg` checks the name in the certificate against the host it connects to; `servername` is for a forwarded port.
      return { ...ca, ...(tls.serverName && { servername: tls.serverName }), rejectUnauthorized: true };
    case "VerifyCA":
      return { ...ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case "EncryptOnly":
      return { ...own, rejectUnauthorized: false };
    case "Disabled":
      return false;
    default:
      throw new TypeError(`unknown TLS mode ${String(tls.mode satisfies never)}`);
  }
}

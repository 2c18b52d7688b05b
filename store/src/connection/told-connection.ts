import { StoreError } from "../errors.ts";
import { currentSettings } from "./credential-files.ts";
import { type ConnectionSettings, parseStoreUrl, type TlsMode } from "./settings.ts";

/** What a program in a pod is told of its store: a URL, or its parts, and a directory of files that win over both. */
interface ToldConnection {
  readonly url?: string | undefined;
  readonly host?: string | undefined;
  /** 5432 when absent. */
  readonly port?: number | undefined;
  readonly database?: string | undefined;
  readonly user?: string | undefined;
  /** See `credential-files.ts`: read now, and anew for each connection. */
  readonly directory?: string | undefined;
  /** Without it the URL's `sslmode` decides, and `VerifyFull` where there is none. */
  readonly tlsMode?: TlsMode | undefined;
  /** Certificate authorities, PEM. */
  readonly ca?: string | undefined;
}

/**
 * The settings of a connection that was described so.
 *
 * @throws StoreError (invalid_settings) when the URL or a file cannot be used, or when nothing says the host, the database or
 * the user; never with a secret.
 */
export function connectionFrom(told: ToldConnection): ConnectionSettings {
  const { url, host = "", port = 5432, database = "", user = "", directory, tlsMode, ca } = told;
  const given: ConnectionSettings =
    url === undefined ? { host, port, database, user, tls: { mode: "VerifyFull" } } : parseStoreUrl(url);
  const tls = { mode: tlsMode ?? given.tls.mode, ...(ca === undefined ? {} : { ca }) };
  const current = currentSettings({ ...given, tls, credentialDirectory: directory });
  const missing = (["host", "database", "user"] as const).filter((part) => current[part] === "");
  if (missing.length === 0) return current;
  throw new StoreError(`does not say the ${missing.join(", the ")} of the store`, {
    code: "invalid_settings",
    retry: "never",
  });
}

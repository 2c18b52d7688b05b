import { StoreError } from "../errors.ts";

/** How the server is authenticated. The names are those of `JobStore.spec.connection.tls.mode`. */
export type TlsMode = "VerifyFull" | "VerifyCA" | "EncryptOnly" | "Disabled";

/** All TLS modes, the safest first; `VerifyFull` is the default everywhere. */
export const TLS_MODES: readonly TlsMode[] = ["VerifyFull", "VerifyCA", "EncryptOnly", "Disabled"];

/** TLS as structured options; nothing about TLS is ever taken from a file path in a URL. */
export interface TlsSettings {
  readonly mode: TlsMode;
  /** Certificate authorities in PEM; those that Node trusts when absent. */
  readonly ca?: string | undefined;
  /** Certificate of the client and its key in PEM, for servers that ask for one. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Name that the certificate must bear; the host when absent. For forwarded ports, where the host is 127.0.0.1. */
  readonly serverName?: string | undefined;
}

/** Where a store's server is. A closed set of fields: no socket paths, no lists of hosts, no server options. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
  readonly tls: TlsSettings;
  /** Directory of files that are read anew for each connection; see `credential-files.ts`. */
  readonly credentialDirectory?: string | undefined;
}

/** `sslmode` of libpq, as far as it names something we do. `prefer` and `allow` fall back to no TLS in silence: refused. */
const SSL_MODES: Readonly<Record<string, TlsMode>> = {
  disable: "Disabled",
  require: "EncryptOnly",
  "verify-ca": "VerifyCA",
  "verify-full": "VerifyFull",
};

function invalid(message: string): StoreError {
  return new StoreError(`the store's URL ${message}`, { code: "invalid_settings", retry: "never" });
}

/**
 * Reads `postgres://user:password@host:port/database`. TLS comes from `tls` when given, and `sslmode` in the URL is then
 * ignored; without `tls` the URL's `sslmode` decides, and `VerifyFull` when it has none. Every other parameter is an
 * error that names it, since it could redirect the connection or read a file. The message never contains the URL.
 */
export function parseStoreUrl(url: string, tls?: TlsSettings): ConnectionSettings {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw invalid("cannot be read; write postgres://user:password@host:port/database, with special characters as %XX");
  }
  if (parsed.protocol !== "postgres:" && parsed.protocol !== "postgresql:") {
    throw invalid(`starts with ${parsed.protocol}//; write postgres://`);
  }
  const host = decode(parsed.hostname, "host").replace(/^\[(.*)\]$/, "$1");
  const database = decode(parsed.pathname.replace(/^\//, ""), "database");
  const user = decode(parsed.username, "user");
  if (host === "") throw invalid("names no host");
  if (/[/,\s]/.test(host)) throw invalid("must name one host; socket paths and lists of hosts are not supported");
  if (user === "") throw invalid("names no user");
  if (database === "" || database.includes("/")) throw invalid("must end in the name of one database");
  const given = parametersOf(parsed);
  return {
    host,
    port: parsed.port === "" ? 5432 : Number(parsed.port),
    database,
    user,
    password: parsed.password === "" ? undefined : decode(parsed.password, "password"),
    tls: tls ?? { mode: given ?? "VerifyFull" },
  };
}

function parametersOf(url: URL): TlsMode | undefined {
  let mode: TlsMode | undefined;
  for (const [name, value] of url.searchParams) {
    // Channel binding is always used where server and TLS offer it.
    if (name === "channel_binding") continue;
    if (name !== "sslmode") throw invalid(`has the parameter ${name}, which is not supported: remove it`);
    mode = SSL_MODES[value];
    if (mode === undefined) throw invalid(`has an unknown sslmode; write one of ${Object.keys(SSL_MODES).join(", ")}`);
  }
  return mode;
}

function decode(text: string, what: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes("\u0000")) return decoded;
  } catch {
    // fall through to the one message
  }
  throw invalid(`has a ${what} that cannot be decoded: write % itself as %25`);
}

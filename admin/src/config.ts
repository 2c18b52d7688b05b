/** What the admin server can be told from outside: one table of environment variables and flags, and how each is read. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { connectionFrom, type ConnectionSettings, TLS_MODES } from "@jobqueue/store";
import { ROLES, type Scope, readScopes } from "./auth/scopes.ts";

/** A way to prove who one is. */
type AuthMode = "keys" | "kubernetes";

/** The admin server's settings. */
export interface Config {
  readonly connection: ConnectionSettings;
  readonly schema: string;
  /** Address to listen on, and port; 0 takes a free one. */
  readonly host: string;
  readonly port: number;
  /** Which credentials are accepted. */
  readonly auth: readonly AuthMode[];
  /** What may be done without credentials. */
  readonly anonymous: readonly Scope[];
  /** Namespace of the JobStore: where RBAC is asked about. */
  readonly namespace: string;
  /** Audience that tokens of the cluster must be for; empty: the API server's own. */
  readonly audience: string;
  readonly kubeconfig: string | undefined;
  /** Most connections to the store. */
  readonly poolSize: number;
  /** How long the store may take for one statement, milliseconds. */
  readonly statementTimeoutMs: number;
  readonly logLevel: string;
}

/** One row of the table. */
export interface AdminSetting {
  readonly env: string;
  readonly flag: string;
  readonly help: string;
  /** Text that stands for an absent value; absent: required, or worked out from the others. */
  readonly fallback?: string;
}

const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

/** The table. The help of `jobqueue admin` and `docs/reference/cli.md` are made from it. */
export const SETTINGS = {
  storeUrl: {
    env: "DATABASE_URL",
    flag: "--store-url",
    help: "The store: postgres://USER:PASSWORD@HOST:PORT/DATABASE. A user with the role admin is enough.",
  },
  storeDirectory: {
    env: "JOBQUEUE_STORE_DIRECTORY",
    flag: "--store-directory",
    help: "Directory with any of the files uri, user, password, ca.crt, tls.crt and tls.key, which win; read anew for each connection, so that a mounted Secret can be rotated.",
    fallback: "",
  },
  storeHost: {
    env: "JOBQUEUE_STORE_HOST",
    flag: "--store-host",
    help: "Host of the store, where no URL says it.",
    fallback: "",
  },
  storePort: { env: "JOBQUEUE_STORE_PORT", flag: "--store-port", help: "Its port.", fallback: "5432" },
  storeDatabase: { env: "JOBQUEUE_STORE_DATABASE", flag: "--store-database", help: "Its database.", fallback: "" },
  storeUser: { env: "JOBQUEUE_STORE_USER", flag: "--store-user", help: "Its user.", fallback: "" },
  tlsMode: {
    env: "JOBQUEUE_TLS_MODE",
    flag: "--tls-mode",
    help: `How the database server is authenticated: ${TLS_MODES.join(", ")}. Without it the URL's sslmode decides.`,
    fallback: "",
  },
  tlsCaFile: {
    env: "JOBQUEUE_TLS_CA_FILE",
    flag: "--tls-ca-file",
    help: "Certificate authorities of the database server, PEM.",
    fallback: "",
  },
  schema: { env: "JOBQUEUE_SCHEMA", flag: "--schema", help: "Postgres schema of the store.", fallback: "jobqueue" },
  listen: {
    env: "JOBQUEUE_ADMIN_LISTEN",
    flag: "--listen",
    help: "Address and port to listen on, such as 0.0.0.0:8090 or [::]:8090; *:8090 is every address, IPv6 too where there is any. Port 0: a free one.",
    fallback: "127.0.0.1:8090",
  },
  auth: {
    env: "JOBQUEUE_ADMIN_AUTH",
    flag: "--auth",
    help: "Which credentials are accepted, separated by commas: keys (jobqueue api-key create), kubernetes (bearer tokens of the cluster); or none. Without it: keys on a loopback address; on any other the server does not start.",
  },
  anonymous: {
    env: "JOBQUEUE_ADMIN_ANONYMOUS",
    flag: "--anonymous",
    help: `What may be done without credentials: none, or scopes and roles (${Object.keys(ROLES).join(", ")}). Without it: viewer on a loopback address when --auth is not given, else none. Needed with --auth none on any other address.`,
  },
  namespace: {
    env: "POD_NAMESPACE",
    flag: "--namespace",
    help: "Namespace of the JobStore, in which RBAC is asked about. Required with kubernetes.",
    fallback: "",
  },
  audience: {
    env: "JOBQUEUE_ADMIN_AUDIENCE",
    flag: "--audience",
    help: "Audience that tokens of the cluster must be for. Empty: that of the API server.",
    fallback: "",
  },
  kubeconfig: {
    env: "KUBECONFIG",
    flag: "--kubeconfig",
    help: "A kubeconfig file to use instead of the service account of the pod.",
    fallback: "",
  },
  poolSize: {
    env: "JOBQUEUE_ADMIN_POOL_SIZE",
    flag: "--pool-size",
    help: "Most connections to the store, 2 to 100; one more listens.",
    fallback: "8",
  },
  statementTimeoutSeconds: {
    env: "JOBQUEUE_ADMIN_STATEMENT_TIMEOUT_SECONDS",
    flag: "--statement-timeout-seconds",
    help: "How long the store may take for one question, 1 to 300.",
    fallback: "10",
  },
  logLevel: {
    env: "LOG_LEVEL",
    flag: "--log-level",
    help: `How much to log: ${LOG_LEVELS.join(", ")}.`,
    fallback: "info",
  },
} as const satisfies Record<string, AdminSetting>;

type Key = keyof typeof SETTINGS;
/** What somebody said of a setting; undefined: nothing. */
type Given = (key: Key) => string | undefined;
/** A setting, read; undefined: it is wrong, and the problem is noted. */
type Read = <Value>(key: Key, reader: (text: string) => Value) => Value | undefined;

/** Either settings or everything that is wrong with them, at once. */
export type ParsedConfig =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly string[] };

/** Reads flags (`--flag value` or `--flag=value`) and environment; a flag wins, an empty variable counts as absent. */
export function parseConfig(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): ParsedConfig {
  const problems: string[] = [];
  const flags = readFlags(argv, problems);
  const given: Given = (key) =>
    flags.get(SETTINGS[key].flag) ??
    (env[SETTINGS[key].env]?.trim() === "" ? undefined : env[SETTINGS[key].env]?.trim());
  /** Reads one setting; what is wrong with it is noted, and `undefined` returned. */
  const read: Read = (key, reader) => {
    const setting: AdminSetting = SETTINGS[key];
    const text = given(key) ?? setting.fallback;
    try {
      if (text === undefined) throw new Error(`(or ${setting.flag}) is missing. ${setting.help}`);
      return reader(text);
    } catch (error) {
      problems.push(`${flags.has(setting.flag) ? setting.flag : setting.env} ${(error as Error).message}`);
      return undefined;
    }
  };

  const address = read("listen", readAddress) ?? { host: "127.0.0.1", port: 0 };
  const access = readAccess(address.host, given, read, problems);
  const config: { [K in keyof Config]: Config[K] | undefined } = {
    connection: readConnection(given, read, problems),
    schema: read("schema", String),
    ...address,
    ...access,
    namespace: read("namespace", (text) => {
      if (text === "" && access.auth.includes("kubernetes")) throw new Error(`is missing. ${SETTINGS.namespace.help}`);
      return text;
    }),
    audience: read("audience", String),
    kubeconfig: read("kubeconfig", (text) => (text === "" ? undefined : text)),
    poolSize: read("poolSize", whole(2, 100)),
    statementTimeoutMs: read("statementTimeoutSeconds", (text) => whole(1, 300)(text) * 1000),
    logLevel: read("logLevel", choice(LOG_LEVELS)),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: config as Config };
}

/** What a setting says; undefined: nothing. */
const said = (text: string): string | undefined => (text === "" ? undefined : text);

/** How to reach the store: by its URL, or by its parts and the files of a directory. */
function readConnection(given: Given, read: Read, problems: string[]): ConnectionSettings | undefined {
  const before = problems.length;
  const directory = read("storeDirectory", said);
  const host = read("storeHost", said);
  const url = directory === undefined && host === undefined ? read("storeUrl", String) : given("storeUrl");
  const told = {
    url,
    host,
    port: read("storePort", whole(1, 65_535)),
    database: read("storeDatabase", said),
    user: read("storeUser", said),
    directory,
    tlsMode: read("tlsMode", (text) => (text === "" ? undefined : choice(TLS_MODES)(text))),
    ca: read("tlsCaFile", (text) => (text === "" ? undefined : readFileSync(text, "utf8"))),
  };
  if (problems.length > before) return undefined;
  try {
    return connectionFrom(told);
  } catch (error) {
    const setting =
      url !== undefined ? SETTINGS.storeUrl : SETTINGS[directory === undefined ? "storeHost" : "storeDirectory"];
    problems.push(`${setting.env} (or ${setting.flag}): ${(error as Error).message}`);
    return undefined;
  }
}

/**
 * Who is let in: closed unless somebody said otherwise. On a loopback address, to which only this machine talks, people may
 * look without credentials; on any other nothing is open that was not asked for by name, and forgetting it is an error.
 */
function readAccess(host: string, given: Given, read: Read, problems: string[]): Pick<Config, "auth" | "anonymous"> {
  const loopback = isLoopback(host);
  if (given("auth") === undefined && !loopback) {
    problems.push(
      `${SETTINGS.auth.env} (or ${SETTINGS.auth.flag}) is missing: ${host} can be reached from elsewhere, and who may do what must be said. Write keys, kubernetes, both, or none.`,
    );
    return { auth: [], anonymous: [] };
  }
  const auth = given("auth") === undefined ? (["keys"] as const) : (read("auth", readAuth) ?? []);
  if (given("anonymous") === undefined) {
    if (auth.length === 0 && !loopback) {
      problems.push(
        `${SETTINGS.auth.flag} none on ${host} would let everybody in who can reach it: say with ${SETTINGS.anonymous.flag} what they may do, such as viewer.`,
      );
    }
    return { auth, anonymous: loopback && given("auth") === undefined ? ROLES.viewer : [] };
  }
  return { auth, anonymous: read("anonymous", (text) => (text === "none" ? [] : readScopes(text))) ?? [] };
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function readAuth(text: string): readonly AuthMode[] {
  if (text === "none") return [];
  return text.split(",").map((word) => choice(["keys", "kubernetes"] as const)(word.trim()));
}

function readAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new Error(`must be an address and a port, such as 0.0.0.0:8090, not "${text}"`);
  }
  return { host: host === "*" ? everyAddress() : host, port };
}

/** The address that stands for all: a socket for IPv6 hears both kinds, where the machine has IPv6 at all. */
function everyAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.some(({ family }) => family === "IPv6") ? "::" : "0.0.0.0";
}

function choice<Value extends string>(values: readonly Value[]): (text: string) => Value {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}, not "${text}"`);
    return found;
  };
}

function whole(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < minimum || value > maximum) {
      throw new Error(`must be a whole number from ${minimum} to ${maximum}, not "${text}"`);
    }
    return value;
  };
}

function readFlags(argv: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const known = new Set<string>(Object.values(SETTINGS).map(({ flag }) => flag));
  const flags = new Map<string, string>();
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [flag = "", ...more] = argument.split("=");
    if (!known.has(flag)) {
      problems.push(`${flag} is not a flag of the admin server; there are ${[...known].join(", ")}`);
      continue;
    }
    const value = more.length > 0 ? more.join("=") : rest.shift();
    if (value === undefined) problems.push(`${flag} needs a value`);
    else flags.set(flag, value);
  }
  return flags;
}

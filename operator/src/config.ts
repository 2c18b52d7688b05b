/** What the operator can be told from outside: one table of environment variables and flags, and how each is read. */

/** The operator's settings. */
export interface Config {
  /** Namespace of the operator itself: where its Lease is. */
  readonly namespace: string;
  /** Namespaces to work in; empty: all. */
  readonly watchNamespaces: readonly string[];
  /** With two replicas only one acts. Switched off only for a single process that nobody else competes with. */
  readonly leaderElection: boolean;
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  readonly httpPort: number;
  readonly logLevel: string;
  /** Who this replica is in the election: the name of its pod. */
  readonly identity: string;
  /** A kubeconfig file to use instead of the service account of the pod. */
  readonly kubeconfig: string | undefined;
}

/** Levels of the log, from the quietest to the most talkative. */
const LOG_LEVELS = ["silent", "fatal", "error", "warn", "info", "debug", "trace"] as const;

/** One row of the table. `read` returns the value or throws a sentence that says what to write instead. */
interface Setting<Value> {
  readonly env: string;
  readonly flag: string;
  readonly help: string;
  /** Text that stands for an absent value; absent: the setting is required. */
  readonly fallback?: string;
  readonly read: (text: string) => Value;
}

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const namespace = (text: string): string => {
  if (!NAMESPACE.test(text)) throw new Error(`must be the name of a namespace, not "${text}"`);
  return text;
};

const oneOf = <Value extends string>(values: readonly Value[]): ((text: string) => Value) => {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new Error(`must be one of ${values.join(", ")}, not "${text}"`);
    return found;
  };
};

/** The table. `docs/reference` is made from it. */
export const SETTINGS: { readonly [Key in keyof Config]: Setting<Config[Key]> } = {
  namespace: {
    env: "JOBQUEUE_OPERATOR_NAMESPACE",
    flag: "--namespace",
    help: "Namespace of the operator itself, where its Lease is. Required with leader election.",
    read: namespace,
  },
  watchNamespaces: {
    env: "WATCH_NAMESPACES",
    flag: "--watch-namespaces",
    help: "Namespaces to work in, separated by commas. Empty: all.",
    fallback: "",
    read: (text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map(namespace),
  },
  leaderElection: {
    env: "LEADER_ELECTION",
    flag: "--leader-election",
    help: "Act only while holding the Lease. Switch off only for a single process.",
    fallback: "true",
    read: (text) => oneOf(["true", "false"])(text) === "true",
  },
  httpPort: {
    env: "HTTP_PORT",
    flag: "--http-port",
    help: "Port of /livez, /readyz and /metrics. 0: a free one.",
    fallback: "8080",
    read: (text) => {
      if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
        throw new Error(`must be a port from 0 to 65535, not "${text}"`);
      return Number(text);
    },
  },
  logLevel: {
    env: "LOG_LEVEL",
    flag: "--log-level",
    help: `How much to log: ${LOG_LEVELS.join(", ")}.`,
    fallback: "info",
    read: oneOf(LOG_LEVELS),
  },
  identity: {
    env: "POD_NAME",
    flag: "--identity",
    help: "Who this replica is in the election; must differ between replicas. The name of the pod, or of the host.",
    read: (text) => {
      if (text.length > 253) throw new Error("must have at most 253 characters");
      return text;
    },
  },
  kubeconfig: {
    env: "KUBECONFIG",
    flag: "--kubeconfig",
    help: "A kubeconfig file to use instead of the service account of the pod.",
    fallback: "",
    read: (text) => (text === "" ? undefined : text),
  },
};

/** Either settings or everything that is wrong with them, at once. */
export type ParsedConfig =
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads flags (`--flag value` or `--flag=value`) and environment; a flag wins. `defaults` are texts for settings that are
 * required but known otherwise, such as the name of the host.
 */
export function parseConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  defaults: { readonly [Key in keyof Config]?: string } = {},
): ParsedConfig {
  const problems: string[] = [];
  const flags = readFlags(argv, problems);
  const values: Partial<Record<keyof Config, unknown>> = {};
  const given = (key: keyof Config): string | undefined => {
    const fromEnv = env[SETTINGS[key].env]?.trim();
    return flags.get(SETTINGS[key].flag) ?? (fromEnv === "" ? undefined : fromEnv) ?? defaults[key];
  };
  for (const key of Object.keys(SETTINGS) as (keyof Config)[]) {
    const setting = SETTINGS[key];
    const unused = key === "namespace" && given("leaderElection") === "false"; // without a Lease it has no place to be
    const text = given(key) ?? setting.fallback ?? (unused ? "default" : undefined);
    if (text === undefined) {
      problems.push(`${setting.env} (or ${setting.flag}) is missing. ${setting.help}`);
      continue;
    }
    try {
      values[key] = setting.read(text);
    } catch (error) {
      problems.push(`${flags.has(setting.flag) ? setting.flag : setting.env} ${(error as Error).message}`);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: values as unknown as Config };
}

function readFlags(argv: readonly string[], problems: string[]): ReadonlyMap<string, string> {
  const known = new Set(Object.values(SETTINGS).map(({ flag }) => flag));
  const flags = new Map<string, string>();
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const [flag = "", ...more] = argument.split("=");
    if (!known.has(flag)) {
      problems.push(`${flag} is not a flag of the operator; there are ${[...known].join(", ")}`);
      continue;
    }
    const value = more.length > 0 ? more.join("=") : rest.shift();
    if (value === undefined) problems.push(`${flag} needs a value`);
    else flags.set(flag, value);
  }
  return flags;
}

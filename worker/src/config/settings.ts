import { TLS_MODES } from "@jobqueue/store";
import { LOG_LEVELS } from "../log.ts";

/** One row of the table of settings. */
export interface Setting {
  readonly env: string;
  /** Absent for facts that only the environment knows. */
  readonly flag?: string;
  readonly default?: string;
  readonly help: string;
  /** Reads the text, or throws an `Error` that says what to write. */
  readonly read: (text: string) => unknown;
}

/**
 * Every setting of a worker: the variables that the operator injects, the flags of `jobqueue worker` (a flag wins over
 * its variable), their defaults and what they accept. The command's help and the checks come from here.
 */
export const SETTINGS = {
  storeUrl: {
    env: "DATABASE_URL",
    flag: "--store-url",
    help: "postgres://user:password@host:port/database of the store",
    read: text,
  },
  storeDirectory: {
    env: "JOBQUEUE_STORE_DIRECTORY",
    flag: "--store-directory",
    help: "directory with any of the files uri, user, password, ca.crt, tls.crt and tls.key; read anew for each connection, so that a mounted Secret can be rotated",
    read: text,
  },
  storeHost: { env: "JOBQUEUE_STORE_HOST", help: "host of the store, where DATABASE_URL does not say it", read: text },
  storePort: { env: "JOBQUEUE_STORE_PORT", default: "5432", help: "its port", read: integer(1, 65_535) },
  storeDatabase: { env: "JOBQUEUE_STORE_DATABASE", help: "its database", read: text },
  storeUser: { env: "JOBQUEUE_STORE_USER", help: "its user", read: text },
  tlsMode: {
    env: "JOBQUEUE_TLS_MODE",
    flag: "--tls-mode",
    help: `how the server is authenticated: ${TLS_MODES.join(", ")}; without it the URL's sslmode decides, else VerifyFull`,
    read: oneOf(TLS_MODES),
  },
  tlsCaFile: {
    env: "JOBQUEUE_TLS_CA_FILE",
    flag: "--tls-ca-file",
    help: "file with the certificate authorities of the server, PEM",
    read: text,
  },
  schema: { env: "JOBQUEUE_SCHEMA", flag: "--schema", default: "jobqueue", help: "schema of the store", read: text },
  queues: {
    env: "JOBQUEUE_QUEUES",
    flag: "--queues",
    help: "queues to serve, separated by commas, strictly in this order",
    read: queueList,
  },
  handlerFiles: {
    env: "JOBQUEUE_HANDLERS",
    flag: "--handlers",
    help: "handlers.yaml, or a .ts or .mjs module; several separated by commas",
    read: list,
  },
  slots: { env: "JOBQUEUE_SLOTS", flag: "--slots", default: "10", help: "jobs run at once", read: integer(1, 1_000) },
  prefetch: {
    env: "JOBQUEUE_PREFETCH",
    flag: "--prefetch",
    default: "2000",
    help: "most jobs held beyond the free slots; only what will begin within 200 ms is; 0 switches it off",
    read: integer(0, 2_000),
  },
  leaseSeconds: {
    env: "JOBQUEUE_LEASE_SECONDS",
    flag: "--lease",
    default: "30",
    help: "how long the worker's lease lasts without a heartbeat",
    read: integer(2, 3_600),
  },
  drainTimeoutSeconds: {
    env: "JOBQUEUE_DRAIN_TIMEOUT_SECONDS",
    flag: "--drain-timeout",
    default: "30",
    help: "how long running jobs may go on after SIGTERM before they are aborted and given back",
    read: seconds(0, 86_400),
  },
  abortGraceSeconds: {
    env: "JOBQUEUE_ABORT_GRACE_SECONDS",
    flag: "--abort-grace",
    default: "5",
    help: "how long a handler may take to end after its abort signal; then its slot is stuck (executables: SIGKILL)",
    read: seconds(0.1, 600),
  },
  loopStallBudgetSeconds: {
    env: "JOBQUEUE_LOOP_STALL_BUDGET_SECONDS",
    flag: "--loop-stall-budget",
    default: "30",
    help: "how long handlers may block the event loop before the lease is no longer renewed",
    read: seconds(0.5, 86_400),
  },
  hungAfterSeconds: {
    env: "JOBQUEUE_HUNG_AFTER_SECONDS",
    flag: "--hung-after",
    help: "when a worker without progress is ended hard (default: the stall budget and the lease together)",
    read: seconds(1, 90_000),
  },
  sweepSeconds: {
    env: "JOBQUEUE_SWEEP_SECONDS",
    flag: "--sweep",
    default: "10",
    help: "longest time between two looks for stale jobs of other workers",
    read: seconds(0.1, 3_600),
  },
  httpPort: {
    env: "JOBQUEUE_HTTP_PORT",
    flag: "--http-port",
    default: "8080",
    help: "port of /livez, /readyz and /metrics; 0 takes a free one",
    read: integer(0, 65_535),
  },
  logLevel: {
    env: "LOG_LEVEL",
    flag: "--log-level",
    default: "info",
    help: LOG_LEVELS.join(", "),
    read: oneOf(LOG_LEVELS),
  },
  pool: {
    env: "JOBQUEUE_POOL",
    flag: "--pool",
    help: "namespace/name of the JobQueue whose pool the worker belongs to",
    read: text,
  },
  image: { env: "JOBQUEUE_IMAGE", help: "image the worker runs from", read: text },
  cluster: {
    env: "JOBQUEUE_CLUSTER",
    flag: "--cluster",
    help: "name of the cluster, as run records show it",
    read: text,
  },
  container: {
    env: "JOBQUEUE_CONTAINER",
    help: "name of the worker's container, where a pod has several workers",
    read: text,
  },
  pod: { env: "POD_NAME", help: "name of the worker's pod", read: text },
  podUid: { env: "POD_UID", help: "uid of the worker's pod", read: text },
  podNamespace: { env: "POD_NAMESPACE", help: "namespace of the worker's pod", read: text },
  node: { env: "NODE_NAME", help: "node of the worker's pod", read: text },
} as const satisfies Record<string, Setting>;

/** Names of settings. */
export type SettingName = keyof typeof SETTINGS;

/** What a setting reads to. */
export type SettingValue<Name extends SettingName> = ReturnType<(typeof SETTINGS)[Name]["read"]>;

function text(value: string): string {
  return value;
}

function oneOf<const Word extends string>(words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const word = words.find((known) => known === value);
    if (word === undefined) throw new Error(`must be one of ${words.join(", ")}`);
    return word;
  };
}

function integer(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < least || number > most)
      throw new Error(`must be a whole number from ${least} to ${most}`);
    return number;
  };
}

function seconds(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+(\.\d+)?$/.test(value) || number < least || number > most) {
      throw new Error(`must be a number of seconds from ${least} to ${most}`);
    }
    return number;
  };
}

function list(value: string): readonly string[] {
  const items = value.split(",").map((item) => item.trim());
  if (items.includes("")) throw new Error("must be a list separated by commas, without empty items");
  return items;
}

/** The store's rule for names of queues. */
const QUEUE_NAME = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/;

function queueList(value: string): readonly string[] {
  const names = list(value);
  const wrong = names.find((name) => !QUEUE_NAME.test(name) || name.length > 63);
  if (wrong !== undefined) {
    throw new Error(
      `names ${JSON.stringify(wrong)}: a queue has lower-case letters, digits, ".", "_" and "-", at most 63, and starts and ends with a letter or digit`,
    );
  }
  if (new Set(names).size < names.length) throw new Error("names a queue twice");
  return names;
}

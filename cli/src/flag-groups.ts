import type { Flag, FlagGroup } from "./verb.ts";

const CONTEXT: readonly Flag[] = [
  {
    name: "context",
    type: "text",
    placeholder: "NAME",
    summary: "Context of the kubeconfig.",
    default: "the current one",
  },
  {
    name: "kubeconfig",
    type: "text",
    placeholder: "PATH",
    env: "KUBECONFIG",
    summary: "The kubeconfig file.",
    default: "~/.kube/config",
  },
];

/**
 * How to find the store, for every verb that works on one: by URL, or through a JobStore object, whose Secret says the
 * URL and whose spec says schema and TLS.
 */
export const CONNECTION: FlagGroup = {
  title: "Connection",
  flags: [
    {
      name: "store-url",
      type: "text",
      placeholder: "URL",
      env: "DATABASE_URL",
      summary: "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full",
    },
    {
      name: "schema",
      type: "text",
      placeholder: "NAME",
      env: "JOBQUEUE_SCHEMA",
      summary: "Postgres schema, with a URL.",
      default: "jobqueue",
    },
    { name: "store", type: "text", placeholder: "NAME", summary: "Name of the JobStore.", default: "default" },
    {
      name: "namespace",
      short: "n",
      type: "text",
      placeholder: "NAME",
      summary: "Namespace of the JobStore.",
      default: "that of the context",
    },
    ...CONTEXT,
  ],
};

/** What to do when a verb that needs the database itself is given an admin API. */
export const NEEDS_DATABASE = "Name the database with --store-url or DATABASE_URL, or with --namespace and --store.";

/** How to find an admin API and be somebody there, for every verb that it can serve as well as the database. */
const ADMIN_API: FlagGroup = {
  title: "Admin API",
  flags: [
    {
      name: "admin-url",
      type: "text",
      placeholder: "URL",
      env: "JOBQUEUE_ADMIN_URL",
      summary:
        "https://HOST, where `jobqueue admin` serves the store. The key is read from JOBQUEUE_API_KEY, never from an argument.",
      elsewhere: `It works on the database itself, which the admin API does not hand out. ${NEEDS_DATABASE}`,
    },
    {
      name: "api-key-file",
      type: "text",
      placeholder: "FILE",
      env: "JOBQUEUE_API_KEY_FILE",
      summary: "A file with the key, or with a bearer token of the cluster.",
    },
    {
      name: "admin-ca-file",
      type: "text",
      placeholder: "FILE",
      env: "JOBQUEUE_ADMIN_CA_FILE",
      summary: "Certificate authorities of the admin API, PEM, in place of those that are known.",
    },
    {
      name: "admin-timeout",
      type: "duration",
      placeholder: "DURATION",
      summary: "How long one answer may take.",
      default: "30s",
    },
  ],
};

/** How to find what a verb works on that needs no database of its own: a database, or the admin API over it. */
export const SOURCE: readonly FlagGroup[] = [CONNECTION, ADMIN_API];

/** How to find a cluster, for verbs that need no store. */
export const CLUSTER: FlagGroup = { title: "Cluster", flags: CONTEXT };

/** The forms in which results are printed. */
const OUTPUT_FORMATS = ["table", "json", "yaml", "name"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const FORMAT: Flag = {
  name: "output",
  short: "o",
  type: "choice",
  choices: OUTPUT_FORMATS,
  placeholder: "FORMAT",
  summary: "table (for people), json, yaml, or name (ids or names, one per line).",
  default: "table",
};

/** In which form to print, for every verb that prints a result. */
export const OUTPUT: FlagGroup = { title: "Output", flags: [FORMAT] };

/** The same for verbs that only look: what they show may be watched. */
export const WATCHABLE: FlagGroup = {
  title: "Output",
  flags: [
    FORMAT,
    {
      name: "watch",
      short: "w",
      type: "switch",
      summary: "Look again every two seconds, until Ctrl-C; where it is not a terminal, print again what has changed.",
    },
  ],
};

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

/** How to find a cluster, for verbs that need no store. */
export const CLUSTER: FlagGroup = { title: "Cluster", flags: CONTEXT };

/** The forms in which results are printed. */
const OUTPUT_FORMATS = ["table", "json", "yaml", "name"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** In which form to print, for every verb that prints a result. */
export const OUTPUT: FlagGroup = {
  title: "Output",
  flags: [
    {
      name: "output",
      short: "o",
      type: "choice",
      choices: OUTPUT_FORMATS,
      placeholder: "FORMAT",
      summary: "table (for people), json, yaml, or name (ids or names, one per line).",
      default: "table",
    },
  ],
};

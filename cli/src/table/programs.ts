import { CLUSTER, CONNECTION, OUTPUT } from "../flag-groups.ts";
import type { Verb } from "../verb.ts";

/** Verbs that install and run the product, and say about the command itself. */
export const PROGRAMS: readonly Verb[] = [
  {
    name: "migrate",
    summary: "Install or upgrade the schema of a store.",
    description: [
      "Runs the migrations that are missing, each in its own transaction, and does nothing when there are none. Safe to run twice at once.",
      "The operator does this by itself; run it where there is no operator, or with rights that the operator does not have.",
    ],
    positionals: [],
    flags: [],
    groups: [OUTPUT, CONNECTION],
    examples: [
      { command: "jobqueue migrate --store-url postgres://owner@db.example.org/shop", does: "install the schema" },
    ],
    load: () => import("../verbs/migrate.ts"),
  },
  {
    name: "worker",
    summary: "Run jobs: the process of a worker pod, also usable by hand.",
    description: [
      "Claims jobs of its queues, strictly in the order given, and runs their handlers until SIGTERM; then drains.",
      "Ends with codes of its own: 0 drained, 64 wrong settings or handlers, 70 no progress was possible, 71 its watchdog died.",
    ],
    positionals: [],
    flags: [],
    groups: [],
    examples: [
      {
        command: "jobqueue worker --queues high,default --handlers ./handlers.yaml --store-url postgres://…",
        does: "two queues, by hand",
      },
    ],
    settings: async () => (await import("../verbs/worker.ts")).settings,
    load: () => import("../verbs/worker.ts"),
  },
  {
    name: "operator",
    summary: "Run the operator: makes JobStores and JobQueues of a cluster come true.",
    description: [
      "Started by the Helm chart. Uses the service account of its pod, or the current kubeconfig outside of a cluster.",
    ],
    positionals: [],
    flags: [],
    groups: [],
    examples: [
      {
        command: "jobqueue operator --namespace default --watch-namespaces shop --leader-election false",
        does: "by hand, for one namespace",
      },
    ],
    settings: async () => (await import("../verbs/operator.ts")).settings,
    load: () => import("../verbs/operator.ts"),
  },
  {
    name: "admin",
    summary: "Run the admin server: an HTTP API over one store, for people and other systems.",
    description: [
      "Serves the native API (/api/v1, described at /openapi.json) and the routes by which clients of Posit Connect, Publaryn, wcs.backend and River know a job queue.",
      "Closed unless told otherwise: on a loopback address people may look without credentials; on any other it starts only when --auth says who is let in.",
    ],
    positionals: [],
    flags: [],
    groups: [],
    examples: [
      { command: "jobqueue admin --store-url postgres://…", does: "on 127.0.0.1:8090, to look" },
      {
        command:
          "jobqueue admin --store-url postgres://… --listen 0.0.0.0:8090 --auth keys,kubernetes --namespace shop",
        does: "for everybody with a key or the rights in namespace shop",
      },
    ],
    settings: async () => (await import("../verbs/admin.ts")).settings,
    load: () => import("../verbs/admin.ts"),
  },
  {
    name: "completion",
    summary: "Print a script that completes verbs, flags and choices in bash, zsh or fish.",
    description: [
      "Put the line of the example into the file that your shell reads when it starts. The script is made from the table of verbs, and asks neither a store nor a cluster.",
    ],
    positionals: [{ name: "SHELL", required: true, summary: "One of bash, zsh, fish." }],
    flags: [],
    groups: [],
    examples: [
      {
        command: "source <(jobqueue completion bash)",
        does: "in ~/.bashrc; zsh likewise in ~/.zshrc, behind compinit",
      },
      { command: "jobqueue completion fish | source", does: "in ~/.config/fish/config.fish" },
    ],
    load: () => import("../verbs/completion.ts"),
  },
  {
    name: "version",
    summary: "Show the version of this command, and of the schema it needs.",
    description: [
      "With --cluster also asks the cluster whether it serves the kinds JobStore and JobQueue; exit code 3 when it does not.",
    ],
    positionals: [],
    flags: [{ name: "cluster", type: "switch", summary: "Also check the kinds that the cluster serves." }],
    groups: [OUTPUT, CLUSTER],
    examples: [
      { command: "jobqueue version", does: "this command" },
      { command: "jobqueue version --cluster", does: "and the cluster of the current context" },
    ],
    load: () => import("../verbs/version.ts"),
  },
  {
    name: "help",
    summary: "Show how to use the command, or one verb.",
    description: [],
    positionals: [{ name: "VERB", required: false, many: true, summary: "The verb." }],
    flags: [],
    groups: [],
    examples: [{ command: "jobqueue help pause", does: "the same as jobqueue pause --help" }],
    load: () => import("../verbs/help.ts"),
  },
];

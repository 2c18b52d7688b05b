/** API group of both kinds. */
export const GROUP = "jobqueue.dev";

/** The one version that is served and stored. */
export const VERSION = "v1alpha1";

/** What stands behind `apiVersion:` of both kinds. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Our kinds and their plural names, as they appear in the paths of the API server. Both are namespaced. */
export const PLURALS = { JobQueue: "jobqueues", JobStore: "jobstores" } as const;

/** Name of one of our kinds. */
export type Kind = keyof typeof PLURALS;

/** Name of the JobStore that an absent `spec.storeRef` means; the default of the CRD. */
export const DEFAULT_STORE = "default";

/** Name of the container in `spec.workers.template` that runs the jobs; a rule of the CRD demands it. */
export const WORKER_CONTAINER = "worker";

/** Label with the name of the queue in the store, on everything the operator makes for a JobQueue. */
export const LABEL_QUEUE = `${GROUP}/queue`;

/** Label with metadata.name of the JobQueue; with its value it is `status.selector`, which an HPA reads. */
export const LABEL_POOL = `${GROUP}/pool`;

/**
 * Environment variables that the operator alone sets in the container `worker`: all that start with one of the prefixes,
 * and these names. A rule of the CRD refuses them in a template.
 */
export const RESERVED_ENV = { prefixes: ["JOBQUEUE_", "POD_"], names: ["NODE_NAME", "DATABASE_URL"] } as const;
